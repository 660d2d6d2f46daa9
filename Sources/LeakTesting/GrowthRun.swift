import Glibc

/// Makes the calls that `GrowthCourse` asks for, and reads the account after each round.
struct GrowthRun: ~Copyable {
    private let account: LedgerAccount
    private let limits: GrowthLimits
    private var course: GrowthCourse
    private var round = 0
    private let clock = ContinuousClock()
    /// Freed later than the calls return: so the readings wait longer.
    private var isPatient = false
    private var lastRound: Duration = .zero

    init(_ limits: GrowthLimits) throws(Obstacle) {
        account = try LedgerAccount(of: limits.scope)
        self.limits = limits
        course = GrowthCourse(limits)
    }

    /// Runs all rounds. The body runs on the calling thread.
    mutating func run(_ body: () throws -> Void) rethrows -> GrowthReport {
        var step = course.first
        while true {
            switch step {
            case .warmUp(let calls):
                // The last calls tell what one takes, the faster of two looks: the other may have been interrupted.
                _ = try measure(calls - calls / 4 * 2, body)
                let took = min(try measure(calls / 4, body), try measure(calls / 4, body))
                settle()
                step = course.handle(warmedUp: reading(calls), perCall: took / (calls / 4))
            case .round(let calls):
                nextRound()
                let processor = Self.processorTime
                let took = try measure(calls, body)
                // On a busy machine a thread mostly waits for its turn: that is no reason to make fewer calls.
                let spent = max(Self.processorTime - processor, took / 3)
                lastRound = took
                settle()
                step = course.handle(finished: reading(calls), took: spent)
            case .confirm:
                settleLong()
                step = confirmed()
                if step == .finish(.leak), let looks = idleLooks {
                    let before = account.liveBytes
                    for _ in 0..<looks { usleep(10_000) }
                    step = checked(grownIdly: account.liveBytes - before)
                }
            case .finish(let verdict): return report(verdict)
            }
        }
    }

    /// The same for calls that suspend. They run one after the other, on the caller's actor.
    mutating func run(_ body: () async throws -> Void) async rethrows -> GrowthReport {
        var step = course.first
        while true {
            switch step {
            case .warmUp(let calls):
                _ = try await measure(calls - calls / 4 * 2, body)
                let took = min(try await measure(calls / 4, body), try await measure(calls / 4, body))
                await settle()
                step = course.handle(warmedUp: reading(calls), perCall: took / (calls / 4))
            case .round(let calls):
                nextRound()
                let took = try await measure(calls, body)
                await settle()
                lastRound = took
                step = course.handle(finished: reading(calls), took: took / 3)
            case .confirm:
                await settleLong()
                step = confirmed()
                if step == .finish(.leak), let looks = idleLooks {
                    let before = account.liveBytes
                    for _ in 0..<looks { await pause(10_000) }
                    step = checked(grownIdly: account.liveBytes - before)
                }
            case .finish(let verdict): return report(verdict)
            }
        }
    }

    // MARK: - Rounds

    private mutating func nextRound() {
        round += 1
        account.begin(round: round)
    }

    /// Of this thread.
    private static var processorTime: Duration {
        var now = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now)
        return .seconds(now.tv_sec) + .nanoseconds(now.tv_nsec)
    }

    private func measure(_ calls: Int, _ body: () throws -> Void) rethrows -> Duration {
        let begin = clock.now
        try MeasuredWork.$number.withValue(account.number) {
            for _ in 0..<calls { try body() }
        }
        return begin.duration(to: clock.now)
    }

    private func measure(_ calls: Int, _ body: () async throws -> Void) async rethrows -> Duration {
        let begin = clock.now
        try await MeasuredWork.$number.withValue(account.number) {
            for _ in 0..<calls { try await body() }
        }
        return begin.duration(to: clock.now)
    }

    private func reading(_ calls: Int) -> GrowthRound {
        GrowthRound(calls: calls, liveBlocks: account.liveBlocks, liveBytes: account.liveBytes)
    }

    private mutating func confirmed() -> GrowthCourse.Step {
        let step = course.handle(confirmed: account.liveBlocks, account.liveBytes)
        if case .finish = step { return step }
        isPatient = true
        return step
    }

    // Of a whole process it is not known who allocates. So, before the calls are blamed, it is left alone for as long as the
    // last round took: what grows then too is not theirs.

    private var idleLooks: Int? {
        limits.scope == .process ? max(5, min(200, Int(lastRound / .milliseconds(10)))) : nil
    }

    private func checked(grownIdly bytes: Int) -> GrowthCourse.Step {
        let calls = Double(course.rounds.last?.calls ?? 1)
        guard Double(bytes) > course.rate(of: \.liveBytes).estimate * calls / 10 else { return .finish(.leak) }
        return .finish(
            .undecided(
                "the process also grows while no calls are made; let the test run alone, or measure the calls themselves"
            ))
    }

    private func report(_ verdict: GrowthVerdict) -> GrowthReport {
        var search = RemainderSearch(time: limits.inspection)
        let sites = verdict == .leak ? search.sites(of: account, rounds: round) : []
        var report = GrowthReport(
            verdict: verdict, bytesPerCall: course.rate(of: \.liveBytes), blocksPerCall: course.rate(of: \.liveBlocks),
            rounds: course.rounds, sites: sites, remarks: search.remarks)
        let dropped = account.dropped
        if dropped > 0, verdict != .leak {
            report.verdict = .undecided(
                "\(dropped) allocations could not be recorded (at most a million blocks of all measurements in a process)"
            )
        }
        return report
    }

    // MARK: - Waiting for what is freed a little later

    // Tasks end, and threads let go, a moment after the call that waited for them returns. Nothing tells when the last of
    // them is done, so the account is looked at until it does not shrink any more.

    private mutating func settle() {
        var wait = Settling(account.liveBlocks, isLong: isPatient)
        while wait.isOn { usleep(wait.microseconds); wait.see(account.liveBlocks) }
    }

    private mutating func settleLong() {
        var wait = Settling(account.liveBlocks, isLong: true)
        while wait.isOn { usleep(wait.microseconds); wait.see(account.liveBlocks) }
    }

    private mutating func settle() async {
        var wait = Settling(account.liveBlocks, isLong: isPatient)
        while wait.isOn { await pause(wait.microseconds); wait.see(account.liveBlocks) }
    }

    private mutating func settleLong() async {
        var wait = Settling(account.liveBlocks, isLong: true)
        while wait.isOn { await pause(wait.microseconds); wait.see(account.liveBlocks) }
    }

    private func pause(_ microseconds: UInt32) async {
        // A cancelled test does not wait: what it then reads is judged all the same.
        try? await Task.sleep(for: .microseconds(Int(microseconds)))
    }
}

/// How long to wait for late frees: until several looks in a row show no fewer blocks. Pure.
struct Settling {
    private let least: Int
    let microseconds: UInt32
    private var fewest: Int
    private var unchanged = 0
    private var looks = 0

    init(_ blocks: Int, isLong: Bool) {
        fewest = blocks
        microseconds = isLong ? 10_000 : 1_000
        least = isLong ? 20 : 2
    }

    var isOn: Bool { fewest > 0 && unchanged < least && looks < 300 }

    mutating func see(_ blocks: Int) {
        looks += 1
        unchanged = blocks < fewest ? 0 : unchanged + 1
        fewest = min(fewest, blocks)
    }
}
