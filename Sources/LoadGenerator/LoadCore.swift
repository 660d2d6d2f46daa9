import CLinux
import Glibc
import OakumModel

/// The engine of one run: sends what is due, over kept or new connections, and records what became of it. Lives on one
/// thread; nothing of it is touched from elsewhere but `LoadProgress`.
///
/// It sleeps until the next arrival (but at least 100 µs, so that high rates go out in small batches) and at most 25 ms,
/// for timeouts and progress. What decides is elsewhere and pure: schedules, parser, judgement, recorder.
final class LoadCore {
    static let waitingLimit = 65_536
    private static let batch: Int64 = 100_000
    private static let housekeeping: Int64 = 25_000_000
    /// A user of a closed loop whose request never reached the service asks again so much later.
    private static let afterFailure: Int64 = 10_000_000

    let plan: LoadPlan
    private let progress: LoadProgress
    private var pool: ConnectionPool
    private var sockets: ClientSockets { pool.sockets }
    private let requests: RequestTable
    private let keys: KeyRing
    private let timeout: Int64
    /// Jobs that wait for a connection, by target.
    private var waiting: [JobQueue]
    private var events: [SocketEvent] = []
    private var captured = CapturedValues()
    private var flows = FlowTable()
    private var recorder: LoadRecorder
    private var schedule: ArrivalSchedule
    private var nextArrival: Arrival?
    private var users: UserState
    private var delayed = RestingQueue<Job>()
    private var ready = JobQueue()
    private var maker: JobMaker
    private var start: Int64?
    private var startedAt: Uptime?
    private var preparation: PreparationState
    private var thinking: SeededRandom
    private var inFlight = 0
    private var nextHousekeeping: Int64 = 0
    private var isEnding = false
    private var outcome: Result<LoadReport, LoadError>?
    private var effort = ThreadEffort()

    /// - Throws: `LoadError.failed` when an address cannot be looked up.
    init(plan: LoadPlan, progress: LoadProgress) throws(LoadError) {
        self.plan = plan
        self.progress = progress
        var addresses: [linux_address] = []
        for target in plan.targets { addresses.append(try target.address()) }
        pool = try ConnectionPool(plan: plan, addresses: addresses)
        waiting = addresses.map { _ in JobQueue() }
        requests = RequestTable(plan: plan)
        keys = KeyRing(source: plan.keys, seed: plan.seed, freshSalt: plan.freshSalt)
        timeout = Int64(plan.timeoutSeconds * 1e9)
        recorder = LoadRecorder(streamNames: requests.names)
        schedule = ArrivalSchedule(plan: plan)
        users = UserState(plan: plan)
        maker = JobMaker(plan: plan)
        captured = CapturedValues(plan.variables)
        preparation = PreparationState(steps: plan.preparation)
        thinking = SeededRandom(seed: plan.seed, part: -1)
    }

    /// Runs to the end, on the thread that calls it.
    func run() -> Result<LoadReport, LoadError> {
        linux_precise_waits()
        effort.begin()
        prepareMore()
        while true {
            tick(monotonicNanoseconds())
            if let outcome { return outcome }
            let pause = ready.isEmpty ? max(nextWake() - monotonicNanoseconds(), Self.batch) : 0
            sockets.wait(nanoseconds: pause, into: &events)
            for event in events { handle(event) }
        }
    }

    // MARK: - The clock

    private func tick(_ now: Int64) {
        if now >= nextHousekeeping {
            nextHousekeeping = now + Self.housekeeping
            keepHouse(now)
        }
        guard outcome == nil else { return }
        if let start { sendDue(start, now) }
        while let job = delayed.popReady(by: now) {
            // What was to come after a pause does not begin when the schedule is over.
            guard !isEnding else { continue }
            recorder.dispatched(lateBy: now - job.scheduled)
            dispatch(job, now)
        }
        // Those that were ready before, not those that become so meanwhile: events come in between.
        for _ in 0..<ready.count {
            guard let job = ready.first else { break }
            ready.removeFirst()
            dispatch(job, now)
        }
        for number in waiting.indices where !waiting[number].isEmpty { serveWaiting(number, now) }
        finishIfDone(now)
    }

    private func nextWake() -> Int64 {
        var wake = nextHousekeeping
        if let start, let nextArrival { wake = min(wake, start + nextArrival.offsetNanoseconds) }
        if let earliest = delayed.earliest { wake = min(wake, earliest) }
        for target in waiting.indices where !waiting[target].isEmpty {
            if let earliest = pool.earliestRested(target) { wake = min(wake, earliest) }
        }
        return wake
    }

    private func sendDue(_ start: Int64, _ now: Int64) {
        while let arrival = nextArrival {
            let scheduled = start + arrival.offsetNanoseconds
            guard scheduled <= now else { return }
            guard mayBegin else { return nextArrival = nil }
            nextArrival = schedule.next()
            recorder.dispatched(lateBy: now - scheduled)
            dispatch(firstJob(of: arrival.stream, index: arrival.index, scheduled: scheduled), now)
        }
    }

    private var mayBegin: Bool { !isEnding && maker.begun < plan.limit ?? .max }

    /// The first request of a run through a stream.
    private func firstJob(of stream: Int, index: UInt64, scheduled: Int64) -> Job {
        var job = maker.first(of: stream, index: index, scheduled: scheduled)
        if requests.needsValues[stream] {
            job.values = flows.add(requests.drawn(stream, seed: plan.seed, index: index))
        }
        return job
    }

    private func keepHouse(_ now: Int64) {
        if progress.isStopRequested { return abort(.cancelled) }
        if progress.isEndRequested, start != nil { isEnding = true }
        for connection in pool.overdue(now, timeout: timeout) {
            guard let job = connection.job else { continue }
            let isConnecting = sockets.isConnecting(connection.place)
            let detail = isConnecting ? "no connection within the timeout" : "no complete answer within the timeout"
            fail(connection.place, job, .failed(.timedOut, status: nil, detail: detail))
        }
        for target in waiting.indices {
            while let job = waiting[target].first, job.scheduled + timeout <= now {
                waiting[target].removeFirst()
                ended(job, .failed(.timedOut, status: nil, detail: "all \(pool.limit) connections were busy"), now)
            }
        }
        if start != nil {
            recorder.advance(to: seconds(now))
            addUsers(now)
        }
        publish(now)
    }

    private func seconds(_ now: Int64) -> Double { start.map { Double(now - $0) / 1e9 } ?? 0 }

    /// Closed loop: lets as many users in as the schedule asks for.
    private func addUsers(_ now: Int64) {
        guard plan.loop == .closed else { return }
        guard !isEnding, let wanted = users.wanted(at: seconds(now)) else { return isEnding = true }
        while users.active < wanted, mayBegin {
            users.active += 1
            ready.append(nextJobOfUser(now))
        }
    }

    private func nextJobOfUser(_ now: Int64) -> Job {
        let (stream, index) = users.choose()
        var job = firstJob(of: stream, index: index, scheduled: now)
        job.isOfUser = true
        return job
    }

    // MARK: - Requests

    /// Gives the job a rested connection, a new one, or a place in the queue.
    private func dispatch(_ job: Job, _ now: Int64) {
        inFlight += 1
        if !job.isAlone, let place = takeRested(job, now) { return send(job, place) }
        if pool.makesRoom(for: job, now: now) { return pool.open(for: job) }
        guard waiting[job.target].count < Self.waitingLimit else {
            let detail = "\(Self.waitingLimit) requests already wait for a connection"
            return ended(job, .failed(.notSent, status: nil, detail: detail), now)
        }
        recorder.waited += 1
        waiting[job.target].append(job)
    }

    private func takeRested(_ job: Job, _ now: Int64) -> SocketPlace? {
        // Preparation does not think.
        let ready: Int64 = if case .preparation = job.origin { .max } else { now }
        return pool.takeRested(job.target, ready: ready, now: now)
    }

    private func serveWaiting(_ target: Int, _ now: Int64) {
        while let job = waiting[target].first {
            if !job.isAlone, let place = takeRested(job, now) {
                waiting[target].removeFirst()
                send(job, place)
            } else if pool.makesRoom(for: job, now: now) {
                waiting[target].removeFirst()
                pool.open(for: job)
            } else {
                return
            }
        }
    }

    private func send(_ job: Job, _ place: SocketPlace) {
        pool.assign(job, to: place)
        let request = requests[job.origin]
        if request.isConstant {
            return request.withConstant(job.target, isAlone: job.isAlone) { sockets.send($0, place, for: request) }
        }
        let random = SeededRandom(seed: plan.seed ^ job.origin.salt, part: Int(truncatingIfNeeded: job.index))
        var inputs = TemplateInputs(index: job.index, random: random, captured: captured)
        (inputs.fresh, inputs.key) = keys.keys(number: job.run, turn: job.run)
        if let values = job.values { inputs.local = flows[values] }
        let isWritten = request.withBytes(job.target, isAlone: job.isAlone, &inputs) {
            sockets.send($0, place, for: request)
        }
        guard !isWritten else { return }
        fail(place, job, .failed(.notSent, status: nil, detail: "nothing was captured yet for its variables"))
    }

    // MARK: - What becomes of them

    private func handle(_ event: SocketEvent) {
        let place = event.place
        guard let connection = pool[place] else { return }
        guard let job = connection.job else { return pool.drop(place) }
        switch event.kind {
        case .connected: send(job, place)
        case .answered: answered(place, job)
        case .connectFailed(let error): fail(place, job, connectFailure(error))
        case .broke(let breakage):
            let parser = sockets.withParser(place) { $0 }
            fail(place, job, breakFailure(breakage, parser, answersBefore: connection.answers))
        case .idleEnded: fail(place, job, breakFailure(.ended, ResponseParser(), answersBefore: connection.answers))
        }
    }

    private func answered(_ place: SocketPlace, _ job: Job) {
        let now = monotonicNanoseconds()
        let request = requests[job.origin]
        var local: [FlowValue] = []
        if let values = job.values { local = flows[values] }
        let (outcome, closes, window) = sockets.withParser(place) { parser in
            (
                request.judge(parser, captured: &captured, local: &local), parser.closesConnection,
                parser.keepAliveSeconds
            )
        }
        if let values = job.values { flows[values] = local }
        let isKept = !closes && !job.isAlone && sockets.isIdle(place)
        if isKept { pool.answered(place, now: now, windowSeconds: window) } else { pool.drop(place) }
        ended(job, outcome, now, on: isKept ? place : nil)
    }

    private func fail(_ place: SocketPlace, _ job: Job, _ outcome: RequestOutcome) {
        pool.drop(place)
        ended(job, outcome, monotonicNanoseconds())
    }

    /// - Parameter place: the connection it came on, when that can be used again.
    private func ended(_ job: Job, _ outcome: RequestOutcome, _ now: Int64, on place: SocketPlace? = nil) {
        guard self.outcome == nil else { return }
        inFlight -= 1
        switch job.origin {
        case .preparation(let step):
            if let place { rest(place, now) }
            preparationEnded(step, job, outcome)
        case .stream(let stream, let step):
            recorder.ended(
                stream: requests.number(stream, step), outcome, latency: now - job.scheduled, at: seconds(now))
            let next = following(job, stream, step, outcome, now)
            if let next, let place, next.target == job.target, !next.isAlone, isImmediate {
                inFlight += 1
                recorder.dispatched(lateBy: 0)
                return send(next, place)
            }
            if let place { rest(place, now) }
            if let next {
                recorder.dispatched(lateBy: 0)
                ready.append(next)
            }
        }
        if !waiting[job.target].isEmpty { serveWaiting(job.target, now) }
    }

    /// Connections that need no rest may go on at once.
    private var isImmediate: Bool { plan.connections.thinkSeconds.upperBound == 0 }

    /// What the same user asks next, when that is now; what is to come later is put aside.
    private func following(
        _ job: Job, _ stream: Int, _ step: Int, _ outcome: RequestOutcome, _ now: Int64
    ) -> Job? {
        let followUps = plan.streams[stream].followUps
        if case .answered = outcome, step < followUps.count, !isEnding {
            var next = job
            next.origin = .stream(stream, step: step + 1)
            let pause = followUps[step].pauseSeconds
            let seconds = pause.lowerBound + (pause.upperBound - pause.lowerBound) * thinking.fraction()
            next.scheduled = now + Int64(seconds * 1e9)
            if seconds == 0 { return next }
            delayed.insert(next, ready: next.scheduled)
            return nil
        }
        if let values = job.values { flows.remove(values) }
        guard job.isOfUser else { return nil }
        guard mayBegin, let wanted = users.wanted(at: seconds(now)), users.active <= wanted else {
            users.active -= 1
            return nil
        }
        var next = nextJobOfUser(now)
        let pause = thinkNanoseconds()
        let extra = outcome.reachedService ? pause : pause + Self.afterFailure
        guard extra > 0 else { return next }
        next.scheduled = now + extra
        delayed.insert(next, ready: next.scheduled)
        return nil
    }

    private func thinkNanoseconds() -> Int64 {
        let range = plan.connections.thinkSeconds
        guard range.upperBound > 0 else { return 0 }
        return Int64((range.lowerBound + (range.upperBound - range.lowerBound) * thinking.fraction()) * 1e9)
    }

    private func rest(_ place: SocketPlace, _ now: Int64) {
        // In a closed loop the user thinks, not the connection.
        pool.rest(place, until: plan.loop == .closed ? now : now + thinkNanoseconds())
    }

    private func preparationEnded(_ step: Int, _ job: Job, _ outcome: RequestOutcome) {
        preparation.ended()
        if case .failed(let kind, let status, let detail) = outcome {
            let name = plan.preparation[step].request.name
            let answer = status.map { ", status \($0)" } ?? ""
            return abort(
                .preparationFailed("\(name) number \(job.index) failed: \(kind.rawValue)\(answer): \(detail)"))
        }
        prepareMore()
    }
}

// MARK: - Beginning and end

extension LoadCore {
    private func prepareMore() {
        let now = monotonicNanoseconds()
        while let next = preparation.next() {
            ready.append(maker.preparation(step: next.step, index: next.index, scheduled: now))
        }
        guard preparation.isDone, start == nil, outcome == nil else { return }
        start = now
        startedAt = uptimeNow()
        effort.begin()
        nextArrival = schedule.next()
        nextHousekeeping = 0
    }

    private func finishIfDone(_ now: Int64) {
        guard start != nil, inFlight == 0, ready.isEmpty, isEnding || nextArrival == nil else { return }
        // A schedule that ends in silence still lasts as long as it says.
        let isOver = isEnding || seconds(now) >= plan.seconds || maker.begun >= plan.limit ?? .max
        guard isOver, isEnding || delayed.isEmpty || seconds(now) >= plan.seconds else { return }
        if plan.loop == .closed, !isEnding, maker.begun < plan.limit ?? .max { return }
        effort.end()
        (recorder.connectionsOpened, recorder.bytesReceived) = (sockets.opened, sockets.received)
        recorder.effort = effort
        let report = recorder.report(
            startedAt: startedAt ?? uptimeNow(), seconds: seconds(now), endedEarly: progress.isEndRequested)
        outcome = .success(report)
        publish(now)
    }

    private func abort(_ error: LoadError) {
        guard outcome == nil else { return }
        outcome = .failure(error)
    }

    private func publish(_ now: Int64) {
        var snapshot = recorder.snapshot
        snapshot.phase =
            if outcome != nil { .finished } else if start != nil { .sending } else {
                .preparing(done: preparation.done, of: preparation.total)
            }
        snapshot.startedAt = startedAt
        snapshot.seconds = seconds(now)
        snapshot.inFlight = inFlight
        snapshot.openConnections = pool.open
        snapshot.users = users.active
        progress.publish(snapshot)
    }
}
