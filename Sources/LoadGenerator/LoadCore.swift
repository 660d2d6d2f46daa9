import NIOCore
import NIOPosix
import OakumModel

/// The engine of one run. Lives on one event loop; nothing of it is touched from elsewhere.
///
/// One timer for everything: it fires at the next arrival (but at most every 100 µs, so that high rates go out in small
/// batches) and at least every 25 ms for timeouts and progress.
final class LoadCore {
    static let waitingLimit = 65_536
    private static let batch = TimeAmount.microseconds(100)
    private static let housekeeping = TimeAmount.milliseconds(25)

    private struct Target {
        var address: SocketAddress
        var open = 0
        var resting = RestingQueue<LoadConnection>()
        var waiting = JobQueue()
    }

    let plan: LoadPlan
    private let loop: any EventLoop
    private let progress: LoadProgress
    private let promise: EventLoopPromise<LoadReport>
    private let limitPerTarget: Int
    private let timeout: TimeAmount
    private var targets: [Target]
    private var connections: [LoadConnection] = []
    private var writer: RequestWriter
    private var captured = CapturedValues()
    private var recorder: LoadRecorder
    private var schedule: ArrivalSchedule
    private var nextArrival: Arrival?
    private var start: NIODeadline?
    private var startedAt: Uptime?
    private var preparation: PreparationState
    private var thinking: SeededRandom
    private var turn = 0
    private var inFlight = 0
    private var nextHousekeeping = NIODeadline.now()
    private var isOver = false

    init(
        plan: LoadPlan, addresses: [SocketAddress], loop: any EventLoop, progress: LoadProgress,
        promise: EventLoopPromise<LoadReport>
    ) {
        self.plan = plan
        self.loop = loop
        self.progress = progress
        self.promise = promise
        limitPerTarget = max(plan.connections.limit / addresses.count, 1)
        timeout = .nanoseconds(Int64(plan.timeoutSeconds * 1e9))
        targets = addresses.map { Target(address: $0) }
        writer = RequestWriter(plan: plan)
        recorder = LoadRecorder(streamNames: plan.streams.map(\.request.name))
        schedule = ArrivalSchedule(plan: plan)
        preparation = PreparationState(steps: plan.preparation)
        thinking = SeededRandom(seed: plan.seed, part: -1)
    }

    /// Begins with the preparation, or with the schedule when there is none.
    func begin() {
        prepareMore()
        tick()
    }

    // MARK: - The clock

    private func tick() {
        guard !isOver else { return }
        let now = NIODeadline.now()
        if now >= nextHousekeeping {
            nextHousekeeping = now + Self.housekeeping
            keepHouse(now)
        }
        if let start { sendDue(start, now) }
        for number in targets.indices where !targets[number].waiting.isEmpty { serveWaiting(number, now) }
        guard !isOver, !finishIfDone() else { return }
        loop.assumeIsolated().scheduleTask(deadline: max(nextWake(), now + Self.batch)) { self.tick() }
    }

    private func nextWake() -> NIODeadline {
        var wake = nextHousekeeping
        if let start, let nextArrival { wake = min(wake, start + .nanoseconds(nextArrival.offsetNanoseconds)) }
        for target in targets where !target.waiting.isEmpty {
            if let ready = target.resting.earliest { wake = min(wake, ready) }
        }
        return wake
    }

    private func sendDue(_ start: NIODeadline, _ now: NIODeadline) {
        while let arrival = nextArrival {
            let scheduled = start + .nanoseconds(arrival.offsetNanoseconds)
            guard scheduled <= now else { return }
            nextArrival = schedule.next()
            recorder.dispatched(lateBy: (now - scheduled).nanoseconds)
            let isAlone = plan.streams[arrival.stream].newConnectionEach
            dispatch(
                Job(
                    origin: .stream(arrival.stream), index: arrival.index, target: nextTarget(), scheduled: scheduled,
                    isAlone: isAlone))
        }
    }

    private func nextTarget() -> Int {
        defer { turn = (turn + 1) % targets.count }
        return turn
    }

    private func keepHouse(_ now: NIODeadline) {
        if progress.isStopRequested { return abort(.cancelled) }
        for connection in connections {
            if let job = connection.job, job.scheduled + timeout <= now { connection.expire() }
        }
        for number in targets.indices {
            while let job = targets[number].waiting.first, job.scheduled + timeout <= now {
                targets[number].waiting.removeFirst()
                ended(
                    job, .failed(.timedOut, status: nil, detail: "all \(limitPerTarget) connections were busy"), at: now
                )
            }
        }
        if start != nil { recorder.advance(to: seconds(now)) }
        publish(now)
    }

    private func seconds(_ now: NIODeadline) -> Double {
        guard let start else { return 0 }
        return Double((now - start).nanoseconds) / 1e9
    }

    // MARK: - Requests

    /// Gives the job a rested connection, a new one, or a place in the queue.
    private func dispatch(_ job: Job) {
        inFlight += 1
        if !job.isAlone, let connection = takeRested(job) { return connection.take(job) }
        if targets[job.target].open < limitPerTarget { return open(job) }
        guard targets[job.target].waiting.count < Self.waitingLimit else {
            let detail = "\(Self.waitingLimit) requests already wait for a connection"
            return ended(job, .failed(.notSent, status: nil, detail: detail), at: .now())
        }
        targets[job.target].waiting.append(job)
    }

    private func takeRested(_ job: Job) -> LoadConnection? {
        let now = NIODeadline.now()
        // Preparation does not think.
        let ready: NIODeadline = if case .preparation = job.origin { .distantFuture } else { now }
        while let connection = targets[job.target].resting.popReady(by: ready) {
            if connection.isUsable(at: now, honoursKeepAlive: plan.connections.honoursKeepAlive) { return connection }
            connection.close()
        }
        return nil
    }

    private func serveWaiting(_ number: Int, _ now: NIODeadline) {
        while let job = targets[number].waiting.first {
            if !job.isAlone, let connection = takeRested(job) {
                targets[number].waiting.removeFirst()
                connection.take(job)
            } else if targets[number].open < limitPerTarget {
                targets[number].waiting.removeFirst()
                open(job)
            } else {
                return
            }
        }
    }

    private func open(_ job: Job) {
        let connection = LoadConnection(core: self, target: job.target, job: job)
        connection.place = connections.count
        connections.append(connection)
        targets[job.target].open += 1
        recorder.connectionsOpened += 1
        let bound = NIOLoopBound(connection, eventLoop: loop)
        ClientBootstrap(group: loop)
            .connectTimeout(timeout)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(bound.value) }
            }
            .connect(to: targets[job.target].address)
            .assumeIsolated()
            .whenFailure { error in
                connection.connectFailed(error)
                self.closed(connection)
            }
    }

    // MARK: - What connections ask and tell

    func request(of job: Job) -> RequestTemplate {
        switch job.origin {
        case .preparation(let step): plan.preparation[step].request
        case .stream(let stream): plan.streams[stream].request
        }
    }

    func bytes(of job: Job) -> [UInt8]? {
        writer.write(request(of: job), job, captured: captured) ? writer.bytes : nil
    }

    /// Decides whether a complete answer is a good one, and remembers what is to be captured from it.
    func judge(_ job: Job, status: Int, body: [UInt8]) -> RequestOutcome {
        let request = request(of: job)
        if !request.expectedStatuses.contains(status) {
            if status == 503 { return .failed(.http503, status: status, detail: "the service says it is unavailable") }
            if status >= 500 { return .failed(.http5xx, status: status, detail: "the service failed") }
            return .failed(.wrongAnswer, status: status, detail: "this status was not expected")
        }
        if let text = request.expectedText, !body.contains(text.utf8) {
            return .failed(.wrongAnswer, status: status, detail: "the answer lacks the expected text")
        }
        if let capture = request.capture {
            guard let value = JSONText.scalar(at: capture.jsonPath, in: body) else {
                return .failed(.wrongAnswer, status: status, detail: "the answer has no \(capture.jsonPath)")
            }
            captured.add(value, as: capture.name)
        }
        return .answered(status: status)
    }

    func rests(_ connection: LoadConnection, at now: NIODeadline) {
        let range = plan.connections.thinkSeconds
        let think = range.lowerBound + (range.upperBound - range.lowerBound) * thinking.fraction()
        targets[connection.target].resting.insert(connection, ready: now + .nanoseconds(Int64(think * 1e9)))
    }

    func closed(_ connection: LoadConnection) {
        guard connections.indices.contains(connection.place), connections[connection.place] === connection else {
            return
        }
        connections.swapAt(connection.place, connections.count - 1)
        connections.removeLast()
        if connection.place < connections.count { connections[connection.place].place = connection.place }
        targets[connection.target].open -= 1
        if !isOver, !targets[connection.target].waiting.isEmpty { serveWaiting(connection.target, .now()) }
    }

    func ended(_ job: Job, _ outcome: RequestOutcome, at now: NIODeadline) {
        guard !isOver else { return }
        inFlight -= 1
        switch job.origin {
        case .preparation(let step):
            preparation.ended()
            if case .failed(let kind, let status, let detail) = outcome {
                let name = plan.preparation[step].request.name
                let answer = status.map { ", status \($0)" } ?? ""
                return abort(
                    .preparationFailed("\(name) number \(job.index) failed: \(kind.rawValue)\(answer): \(detail)"))
            }
            prepareMore()
        case .stream(let stream):
            recorder.ended(
                stream: stream, outcome, latency: (now - job.scheduled).nanoseconds, at: seconds(now))
        }
        if !targets[job.target].waiting.isEmpty { serveWaiting(job.target, now) }
    }

    // MARK: - Beginning and end

    private func prepareMore() {
        while let next = preparation.next() {
            dispatch(
                Job(
                    origin: .preparation(step: next.step), index: next.index, target: nextTarget(), scheduled: .now(),
                    isAlone: false))
        }
        guard preparation.isDone, start == nil, !isOver else { return }
        start = .now()
        startedAt = uptimeNow()
        nextArrival = schedule.next()
    }

    private func finishIfDone() -> Bool {
        guard let start, nextArrival == nil, inFlight == 0 else { return false }
        let now = NIODeadline.now()
        // A schedule that ends in silence still lasts as long as it says.
        guard seconds(now) >= plan.seconds else { return false }
        isOver = true
        closeAll()
        publish(now)
        let spent = Double((now - start).nanoseconds) / 1e9
        promise.succeed(recorder.report(startedAt: startedAt ?? uptimeNow(), seconds: spent))
        return true
    }

    private func abort(_ error: LoadError) {
        guard !isOver else { return }
        isOver = true
        closeAll()
        promise.fail(error)
    }

    private func closeAll() {
        for connection in connections { connection.close() }
        // Resting connections hold the core, and it held them.
        for number in targets.indices {
            targets[number].resting = RestingQueue()
            targets[number].waiting = JobQueue()
        }
    }

    private func publish(_ now: NIODeadline) {
        var snapshot = LoadSnapshot()
        snapshot.phase =
            if isOver { .finished } else if start != nil { .sending } else {
                .preparing(done: preparation.done, of: preparation.total)
            }
        snapshot.startedAt = startedAt
        snapshot.seconds = seconds(now)
        snapshot.requests = recorder.requests
        snapshot.answered = recorder.answered
        snapshot.failures = recorder.failures
        snapshot.failed = recorder.failures.failed
        snapshot.firstFailureSeconds = recorder.firstFailure
        snapshot.inFlight = inFlight
        snapshot.openConnections = connections.count
        snapshot.p99Milliseconds = recorder.recentP99
        progress.publish(snapshot)
    }
}
