package import OakumModel

/// What can be asked of a running `oakum`, and done to it. The engine implements it in process, `OakumRemote` over the
/// control socket; CLI and console know nothing else.
package protocol ControlPlane: HeapPlane, ReleasePlane {
    /// Services, workers, verdicts and budgets as of now.
    func overview() async throws(ControlError) -> Overview
    /// Memory over time, for charts. At most `query.points` points a worker.
    func history(_ query: HistoryQuery) async throws(ControlError) -> History
    /// Events in rising order of their number.
    func events(_ query: EventQuery) async throws(ControlError) -> [EventRecord]
    /// Carries out a command. Returns when it is accepted; what comes of it is in the journal.
    func perform(_ command: ControlCommand) async throws(ControlError) -> CommandOutcome
}

/// Looks into the heaps of workers that carry the sampler, without stopping them.
///
/// A look takes some seconds and a core. There is one at a time: who asks for the same meanwhile gets its result, who asks
/// for another is refused. What was seen is good for ten seconds.
package protocol HeapPlane: Sendable {
    /// What lives in the heap of a worker, what grew, and who holds what leaks. Of a worker that is gone, what it left.
    func heap(_ query: HeapQuery) async throws(ControlError) -> HeapView
    /// The same for other tools: live memory by call stack, in their format.
    func heapFile(_ query: HeapQuery, as form: HeapFileForm) async throws(ControlError) -> [UInt8]
}

/// Why a call on the control plane failed.
package enum ControlError: Error, Hashable, Sendable {
    /// Nobody listens: `oakum up` does not run with this state folder. Start it, or name the right folder.
    case notRunning(String)
    /// The request names something that does not exist. The message lists what does.
    case notFound(String)
    /// The request cannot be carried out now (a recycle is under way, the floor would be undercut). Try later.
    case refused(String)
    /// The caller may not do this.
    case forbidden(String)
    /// The request is malformed.
    case invalid(String)
    /// Something broke on the other side; the message says what.
    case failed(String)

    package var message: String {
        switch self {
        case .notRunning(let text), .notFound(let text), .refused(let text), .forbidden(let text), .invalid(let text),
            .failed(let text):
            text
        }
    }
}
