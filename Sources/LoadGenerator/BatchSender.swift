import CLinux
import Glibc
import Synchronization

/// Sends batches of requests to one service, one batch at a time, over connections that may stay open in between.
///
/// Nothing is ever sent twice. Memory does not depend on the number of requests: it is a few kilobytes a connection,
/// values captured from answers (at most 10,000 a name), and the counts.
package final class BatchSender: Sendable {
    private let core: Mutex<BatchCore>

    /// - Parameters:
    ///   - seed: the same seed gives the same bodies and the same pool of keys.
    ///   - freshSalt: of keys that are never the same twice: another one for each run against a service that remembers.
    ///   - variables: values that all requests may use, as if they had been captured.
    /// - Throws: `LoadError.failed` when the target's name cannot be looked up.
    package init(
        target: LoadTarget, seed: UInt64, freshSalt: UInt64, variables: [FlowVariable] = []
    ) throws(LoadError) {
        core = Mutex(try BatchCore(target: target, seed: seed, freshSalt: freshSalt, variables: variables))
    }

    /// Sends the batch and waits for its end, on a thread of its own. A second call waits for the first.
    ///
    /// Cancelling the task ends the batch: what was under way is not counted.
    /// - Throws: `LoadError.invalidPlan` for an impossible batch, `.cancelled`.
    package func send(_ batch: RequestBatch) async throws(LoadError) -> BatchOutcome {
        if let problem = batch.problem { throw .invalidPlan(problem) }
        let stopRequested = StopFlag()
        let result = await withTaskCancellationHandler {
            await onThreadOfItsOwn { () -> Result<BatchOutcome, LoadError> in
                self.core.withLock { core in core.send(batch, stop: stopRequested) }
            }
        } onCancel: {
            stopRequested.set()
        }
        return try result.get()
    }
}

/// Says to a thread that it is to stop.
final class StopFlag: Sendable {
    private let flag = Atomic(false)

    var isSet: Bool { flag.load(ordering: .relaxed) }

    func set() {
        flag.store(true, ordering: .relaxed)
    }
}

/// The closed loop of a batch, on the thread that calls it.
private struct BatchCore {
    private struct Request {
        var endpoint: Int
        var index: UInt64
        var deadline: Int64
    }

    private let target: LoadTarget
    private let seed: UInt64
    private let freshSalt: UInt64
    private let sockets: ClientSockets
    private var captured: CapturedValues
    private var dealt: UInt64 = 0
    private var kept: [SocketPlace] = []
    // Of the batch under way; by slot.
    private var underWay: [Request?] = []
    private var places: [SocketPlace] = []
    private var events: [SocketEvent] = []

    init(target: LoadTarget, seed: UInt64, freshSalt: UInt64, variables: [FlowVariable]) throws(LoadError) {
        captured = CapturedValues(variables)
        self.target = target
        self.seed = seed
        self.freshSalt = freshSalt
        // How long an answer takes is nobody's concern here; how many come is.
        sockets = try ClientSockets(addresses: [target.address()], acknowledgesAtOnce: true)
    }

    mutating func send(_ batch: RequestBatch, stop: StopFlag) -> Result<BatchOutcome, LoadError> {
        linux_precise_waits()
        var run = BatchRun(batch, hosts: [target.hostHeader])
        let keys = KeyRing(source: batch.keys, seed: seed, freshSalt: freshSalt)
        let base = dealt
        run.base = batch.keys == .fresh ? base : 0
        run.keys = { keys.keys(number: base + $0, turn: $0) }
        dealt += UInt64(batch.count)
        let before = sockets.opened
        dropEnded(&run)
        let start = monotonicNanoseconds()
        fill(&run, start)
        var nextSweep = start
        while run.active > 0 {
            sockets.wait(nanoseconds: 25_000_000, into: &events)
            if stop.isSet {
                closeAll()
                return .failure(.cancelled)
            }
            for event in events { handle(event, &run) }
            let now = monotonicNanoseconds()
            if now >= nextSweep {
                nextSweep = now + 25_000_000
                expire(&run, now)
            }
            fill(&run, now)
        }
        run.outcome.seconds = Double(monotonicNanoseconds() - start) / 1e9
        if !batch.keepsConnections { closeAll() }
        run.outcome.connectionsOpened = sockets.opened - before
        run.outcome.connectionsKept = kept.count
        return .success(run.outcome)
    }

    /// Kept connections may have ended since the last batch, and a request on one of them would be lost.
    private mutating func dropEnded(_ run: inout BatchRun) {
        repeat {
            sockets.wait(nanoseconds: 0, into: &events)
            for event in events { handle(event, &run) }
        } while !events.isEmpty
    }

    private mutating func closeAll() {
        for place in kept { sockets.close(place) }
        kept.removeAll()
        for slot in underWay.indices where underWay[slot] != nil {
            sockets.close(places[slot])
            underWay[slot] = nil
        }
    }

    /// Puts as many requests under way as there may be.
    private mutating func fill(_ run: inout BatchRun, _ now: Int64) {
        while run.active < run.batch.connections, let next = run.next() {
            let request = Request(
                endpoint: next.endpoint, index: next.index, deadline: now + Int64(run.batch.timeoutSeconds * 1e9))
            if !run.batch.newConnectionEach, let place = takeKept() {
                begin(request, place, &run)
            } else {
                let place = sockets.open(address: 0)
                note(request, place)
            }
        }
    }

    private mutating func takeKept() -> SocketPlace? {
        while let place = kept.popLast() {
            if sockets.isIdle(place) { return place }
            sockets.close(place)
        }
        return nil
    }

    private mutating func note(_ request: Request, _ place: SocketPlace) {
        while underWay.count <= place.slot {
            underWay.append(nil)
            places.append(place)
        }
        underWay[place.slot] = request
        places[place.slot] = place
    }

    private mutating func begin(_ request: Request, _ place: SocketPlace, _ run: inout BatchRun) {
        note(request, place)
        let prepared = run.requests[request.endpoint]
        let alone = run.batch.newConnectionEach
        if prepared.isConstant {
            return prepared.withConstant(0, isAlone: alone) { sockets.send($0, place, for: prepared) }
        }
        var inputs = TemplateInputs(
            index: request.index,
            random: SeededRandom(seed: seed ^ 0x6261_7463_6800_0000, part: Int(truncatingIfNeeded: request.index)),
            captured: captured)
        (inputs.fresh, inputs.key) = run.keys(request.index - run.base)
        let isWritten = prepared.withBytes(0, isAlone: alone, &inputs) { sockets.send($0, place, for: prepared) }
        guard !isWritten else { return }
        underWay[place.slot] = nil
        if alone { sockets.close(place) } else { kept.append(place) }
        run.ended(
            request.endpoint, .failed(.notSent, status: nil, detail: "nothing was captured yet for its variables"))
    }

    private mutating func handle(_ event: SocketEvent, _ run: inout BatchRun) {
        let place = event.place
        guard sockets.isCurrent(place) else { return }
        guard underWay.indices.contains(place.slot), let request = underWay[place.slot] else {
            // An idle connection has ended.
            kept.removeAll { $0 == place }
            return sockets.close(place)
        }
        switch event.kind {
        case .connected: begin(request, place, &run)
        case .answered: answered(request, place, &run)
        case .connectFailed(let error): fail(request, place, connectFailure(error), &run)
        case .broke(let breakage):
            let parser = sockets.withParser(place) { $0 }
            fail(request, place, breakFailure(breakage, parser, answersBefore: nil), &run)
        case .idleEnded: fail(request, place, breakFailure(.ended, ResponseParser(), answersBefore: nil), &run)
        }
    }

    private mutating func answered(_ request: Request, _ place: SocketPlace, _ run: inout BatchRun) {
        underWay[place.slot] = nil
        let prepared = run.requests[request.endpoint]
        var local: [FlowValue] = []
        let (outcome, closes) = sockets.withParser(place) { parser in
            (prepared.judge(parser, captured: &captured, local: &local), parser.closesConnection)
        }
        if closes || run.batch.newConnectionEach || !sockets.isIdle(place) {
            sockets.close(place)
        } else {
            kept.append(place)
        }
        run.ended(request.endpoint, outcome)
    }

    private mutating func fail(
        _ request: Request, _ place: SocketPlace, _ outcome: RequestOutcome, _ run: inout BatchRun
    ) {
        underWay[place.slot] = nil
        sockets.close(place)
        run.ended(request.endpoint, outcome)
    }

    private mutating func expire(_ run: inout BatchRun, _ now: Int64) {
        for slot in underWay.indices {
            guard let request = underWay[slot], request.deadline <= now else { continue }
            let detail =
                sockets.isConnecting(places[slot])
                ? "no connection within the timeout" : "no complete answer within the timeout"
            fail(request, places[slot], .failed(.timedOut, status: nil, detail: detail), &run)
        }
    }
}

/// Which request of a batch comes next, and what became of them. Pure.
private struct BatchRun {
    let batch: RequestBatch
    let requests: [PreparedRequest]
    /// The keys of request number so-and-so of the batch.
    var keys: (UInt64) -> (fresh: RequestKey, key: RequestKey) = { _ in
        (RequestKey(number: 0, salt: 0), RequestKey(number: 0, salt: 0))
    }
    /// Index of the batch's first request.
    var base: UInt64 = 0
    var outcome = BatchOutcome()
    private(set) var active = 0
    private var issued = 0

    init(_ batch: RequestBatch, hosts: [[UInt8]]) {
        self.batch = batch
        requests = batch.requests.map { PreparedRequest($0, hosts: hosts) }
        outcome.endpoints = batch.requests.map { BatchOutcome.Endpoint(name: $0.name) }
    }

    mutating func next() -> (endpoint: Int, index: UInt64)? {
        guard issued < batch.count else { return nil }
        defer {
            issued += 1
            active += 1
        }
        return (issued % requests.count, base + UInt64(issued))
    }

    mutating func ended(_ endpoint: Int, _ result: RequestOutcome) {
        active -= 1
        if let status = result.status { outcome.statuses[status, default: 0] += 1 }
        if case .failed(let kind, let status, let detail) = result {
            outcome.failures[kind] += 1
            if outcome.notes.count < 20 {
                let answer = status.map { " (status \($0))" } ?? ""
                outcome.notes.append("\(outcome.endpoints[endpoint].name) \(kind.rawValue)\(answer): \(detail)")
            }
            if kind == .notSent { return }
        } else {
            outcome.ok += 1
            outcome.endpoints[endpoint].ok += 1
        }
        outcome.sent += 1
        outcome.endpoints[endpoint].sent += 1
    }
}
