import OakumEngine
import OakumModel
import Synchronization

/// Answers what it is told to; with the gate closed it hangs.
final class FakeWitness: HeapWitness {
    static let finding = HeapFinding(
        site: "keep(_:) (Fault.swift:31)", function: "keep(_:)", file: "Fault.swift", line: 31, fingerprint: "f00",
        type: "[UInt8]", chain: ["static Store.shared", "Store", "[UInt8]"], liveBytes: 25_165_824, share: 0.81,
        neverFreed: Estimate(estimate: 0.98, low: 0.9, high: 1), tookSeconds: 1.5)

    struct State {
        var answer = HeapExamination.named([finding])
        var asked: [WorkerID] = []
        var tidied = 0
        var look = HeapLook.nothing("nobody said what there is to see")
        var looked: [HeapSubject] = []
    }

    let state = Mutex(State())
    let gate = Gate()
    /// For looks that somebody asks for.
    let lookGate = Gate()

    func tidy() async {
        state.withLock { $0.tidied += 1 }
    }

    func examine(_ process: ProcessIdentity, of worker: WorkerID) async -> HeapExamination {
        state.withLock { $0.asked.append(worker) }
        await gate.pass()
        return state.withLock { $0.answer }
    }

    func look(_ subject: HeapSubject) async -> HeapLook {
        state.withLock { $0.looked.append(subject) }
        // Not wanted any more: the real one kills who looks.
        await withTaskCancellationHandler {
            await lookGate.pass()
        } onCancel: {
            lookGate.open()
        }
        return state.withLock { $0.look }
    }
}
