import OakumAPI
import OakumModel
import Synchronization

/// A control plane of fixed or scripted answers, for the servers and for the contract.
final class FakeControlPlane: ControlPlane {
    struct State {
        var overview: Overview
        var histories: [String: History] = [:]
        var events: [EventRecord] = []
        var commands: [ControlCommand] = []
        /// Thrown by every call while set.
        var failure: ControlError?
        var overviewCalls = 0
        /// By service and worker.
        var heaps: [HeapQuery: HeapView] = [:]
        /// Awaited by every look.
        var lookTakes: @Sendable () async -> Void = {}
    }
    let state: Mutex<State>
    /// Changes the state before each overview, so that data moves as it is looked at; gets the number of the call.
    private let moving: @Sendable (inout State, Int) -> Void

    init(_ state: State = Samples.state(), moving: @escaping @Sendable (inout State, Int) -> Void = { _, _ in }) {
        self.state = Mutex(state)
        self.moving = moving
    }

    func change(_ body: (inout State) -> Void) {
        state.withLock { body(&$0) }
    }

    var commands: [ControlCommand] { state.withLock { $0.commands } }
    var overviewCalls: Int { state.withLock { $0.overviewCalls } }

    private func read<Value>(_ body: (inout State) throws(ControlError) -> Value) throws(ControlError) -> Value {
        let result = state.withLock { state -> Result<Value, ControlError> in
            if let failure = state.failure { return .failure(failure) }
            do throws(ControlError) {
                return .success(try body(&state))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    func overview() async throws(ControlError) -> Overview {
        try read { state throws(ControlError) in
            state.overviewCalls += 1
            moving(&state, state.overviewCalls)
            return state.overview
        }
    }

    func history(_ query: HistoryQuery) async throws(ControlError) -> History {
        try read { state throws(ControlError) in
            guard var history = state.histories[query.service] else {
                throw .notFound("there is no service \(query.service); there is \(state.histories.keys.sorted())")
            }
            guard query.seconds > 0, query.points > 1 else { throw .invalid("seconds and points must be above 0") }
            for index in history.workers.indices {
                history.workers[index].points = history.workers[index].points.suffix(query.points)
            }
            return history
        }
    }

    func events(_ query: EventQuery) async throws(ControlError) -> [EventRecord] {
        try read { state throws(ControlError) in
            guard query.limit > 0 else { throw .invalid("limit must be above 0") }
            guard let after = query.after else { return state.events.suffix(query.limit) }
            return Array(state.events.filter { $0.id > after }.prefix(query.limit))
        }
    }

    func perform(_ command: ControlCommand) async throws(ControlError) -> CommandOutcome {
        try read { state throws(ControlError) in
            if case .recycle(let service, _) = command, !state.overview.services.contains(where: { $0.name == service })
            {
                throw .notFound("there is no service \(service)")
            }
            if case .recycle = command, state.overview.oakum.paused {
                throw .refused("acts are paused")
            }
            if case .pause(let paused) = command { state.overview.oakum.paused = paused }
            state.commands.append(command)
            return CommandOutcome(message: "done")
        }
    }

    func releases(of service: String) async throws(ControlError) -> ReleaseList {
        throw .refused("\(service) takes no releases")
    }

    func heap(_ query: HeapQuery) async throws(ControlError) -> HeapView {
        await state.withLock { $0.lookTakes }()
        return try read { state throws(ControlError) in
            guard let service = state.overview.services.first(where: { $0.name == query.service }) else {
                throw .notFound("there is no service \(query.service)")
            }
            guard service.samplesHeap == true else { throw .refused("\(query.service) carries no sampler") }
            guard let view = state.heaps[query] else { throw .notFound("there is no worker \(query.worker)") }
            return view
        }
    }

    func heapFile(_ query: HeapQuery, as form: HeapFileForm) async throws(ControlError) -> [UInt8] {
        let view = try await heap(query)
        // Bytes that are no text: they arrive as they are.
        return Array("\(form) of \(view.service)".utf8) + [0, 0xFF, 0x0A]
    }
}
