import Foundation
import OakumEngine
import OakumModel
import ProcessReadings
import Spawning

/// Names what leaks in workers that carry the sampler.
///
/// The look itself is a process of its own (`oakum evidence`): what it takes of memory goes back at its end, and a heap
/// that ends its reader does not end `oakum up`.
struct HeapExaminer: HeapWitness {
    /// Beyond what the look allows itself.
    static let patience = 12_000 as Int32
    private static let answerLimit = 1 << 20

    /// `oakum`'s own executable.
    let program: String
    /// By service.
    let files: [String: HeapFiles]

    @concurrent
    func examine(_ process: ProcessIdentity, of worker: WorkerID) async -> HeapExamination {
        guard let files = files[worker.service] else { return .nothing("its service carries no sampler") }
        let path = files.path(pid: process.pid)
        let output = Self.answerPath(path)
        // From an earlier look that was cut off.
        unlink(output)
        defer { unlink(output) }
        let looking: SpawnedProcess
        do throws(SpawnError) {
            looking = try SpawnedProcess(
                [program, "evidence", path, "\(process.pid)", "\(process.startTicks)"], outputPath: output)
        } catch {
            return .nothing(error.reason)
        }
        let exit = await Self.exit(of: looking)
        looking.killGroup()
        guard let exit else { return .nothing("looking took too long") }
        return Self.answer(exit, Data(FileBytes.read(path: output, limit: Self.answerLimit) ?? []))
    }

    func tidy() async {
        for files in files.values { files.prune() }
    }

    static func answerPath(_ path: String) -> String { path + ".evidence" }

    /// nil when it takes too long, or is not wanted any more.
    private static func exit(of process: SpawnedProcess) async -> SpawnedProcess.Exit? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                // Waiting blocks, and the threads of tasks are few.
                Thread.detachNewThread {
                    continuation.resume(returning: process.waitForExit(milliseconds: patience))
                }
            }
        } onCancel: {
            process.send(SIGKILL)
        }
    }

    private static func answer(_ exit: SpawnedProcess.Exit, _ output: Data) -> HeapExamination {
        let text = String(decoding: output.prefix(2_000), as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        guard exit == .code(0), output.count < answerLimit else {
            return .nothing(text.isEmpty ? "looking ended with \(exit)" : text)
        }
        do {
            let evidence = try JSONDecoder().decode(HeapEvidence.self, from: output)
            guard evidence.findings.isEmpty else { return .named(evidence.findings) }
            return .nothing(evidence.remarks.joined(separator: "; "))
        } catch {
            return .nothing("the answer cannot be understood: \(text.prefix(200))")
        }
    }
}
