import Glibc
import LoadGenerator
import OakumModel
import Spawning
import Synchronization

/// What happened then: one plain process per share of the budget, each with a port of its own, nothing that watches
/// over them but a limit that kills (as the kernel's does) and a supervisor that starts again after a second (as
/// systemd's `Restart=always` with `RestartSec=1`).
struct ControlArm: Sendable {
    static let lookEvery = Duration.milliseconds(100)
    static let restartAfterSeconds = 1.0

    let service: DrillService
    /// The argv with variables still in it, options for the fault included.
    let command: [String]
    let folder: String
    var wrongMove: WrongMove?
    let tell: @Sendable (DrillNews) -> Void

    struct Outcome: Sendable {
        var load: LoadReport
        var restarts: Int
        var wrongMove: WrongMoveReport?
    }

    func run(_ load: DrillLoad, seconds: Double) async throws(DrillError) -> Outcome {
        var shares: [Share] = []
        for number in 1...service.workers {
            shares.append(
                Share(
                    number: number, port: try DrillError.couldNot(LoopbackPort.free), service: service,
                    command: command, folder: folder))
        }
        let watch = ControlWatch(
            shares: shares, budgetBytes: service.budgetBytes, wrongMove: wrongMove, tell: tell)
        defer { watch.stopAll() }
        try watch.startAll()
        for share in shares { try await waitUntilReady(share, watch) }
        let plan = load.plan(targets: shares.map { LoadTarget(port: $0.port) }, seconds: seconds)
        let report = try await ArmLoad.run(plan, every: Self.lookEvery) { snapshot throws(DrillError) in
            try watch.look(snapshot, at: uptimeNow())
        }
        return Outcome(load: report, restarts: watch.restarts, wrongMove: watch.wrongMoveReport)
    }

    private func waitUntilReady(_ share: Share, _ watch: ControlWatch) async throws(DrillError) {
        let deadline = uptimeNow() + service.readyWithinSeconds
        while await HTTPProbe.status(of: service.readyPath, at: LoadTarget(port: share.port), timeoutSeconds: 1) != 200
        {
            if let why = watch.earlyEnd() { throw .couldNotRun(why) }
            guard uptimeNow() < deadline else {
                throw .couldNotRun(
                    """
                    \(service.name) process \(share.number) does not answer \(service.readyPath) on port \
                    \(share.port) within \(service.readyWithinSeconds) s; it last wrote:
                    \(TextFile.tail(share.logPath))
                    """)
            }
            try await pause(0.1)
        }
    }
}

/// Waits; throws when the drill is asked to end.
func pause(_ seconds: Double) async throws(DrillError) {
    do {
        try await Task.sleep(for: .seconds(seconds))
    } catch {
        throw .interrupted(signal: 0)
    }
}

/// One process's share of the control arm.
struct Share: Sendable {
    let number: Int
    let port: Int
    let logPath: String
    private let argv: [String]
    private let environment: [(key: String, value: String)]

    init(number: Int, port: Int, service: DrillService, command: [String], folder: String) {
        self.number = number
        self.port = port
        logPath = "\(folder)/\(service.name)-\(number).log"
        argv = Programs.fill(
            command + service.ownPort, ["folder": folder, "port": "\(port)", "worker": "\(number)"])
        environment = service.environment + [(ScratchFolder.marker, folder)]
    }

    func start() throws(DrillError) -> SpawnedProcess {
        try SpawnedProcess(argv, environment: environment, logPath: logPath)
    }
}

/// The limit and the supervisor of the control arm.
final class ControlWatch: Sendable {
    private struct Running {
        var process: SpawnedProcess?
        var restartAt: Uptime?
    }

    private struct State {
        var running: [Running]
        var restarts = 0
        var lastStatus: Uptime?
        var move: WrongMoveCourse?
    }

    private let shares: [Share]
    private let budgetBytes: Int64
    private let tell: @Sendable (DrillNews) -> Void
    private let state: Mutex<State>

    init(
        shares: [Share], budgetBytes: Int64, wrongMove: WrongMove? = nil,
        tell: @escaping @Sendable (DrillNews) -> Void
    ) {
        self.shares = shares
        self.budgetBytes = budgetBytes
        self.tell = tell
        state = Mutex(
            State(running: shares.map { _ in Running() }, move: wrongMove.map { WrongMoveCourse($0, of: shares.count) })
        )
    }

    /// What the wrong move bought; nil when there was none, or its time did not come.
    var wrongMoveReport: WrongMoveReport? { state.withLock { $0.move?.report } }

    /// How often a process was started again.
    var restarts: Int { state.withLock { max(0, $0.restarts) } }

    func startAll() throws(DrillError) {
        for place in shares.indices {
            let process = try shares[place].start()
            state.withLock { $0.running[place].process = process }
        }
    }

    /// Why the arm cannot begin; nil while all processes live.
    func earlyEnd() -> String? {
        let processes = state.withLock { $0.running.map(\.process) }
        for (share, process) in zip(shares, processes) {
            guard let exit = process?.exitNow() else { continue }
            return
                """
                process \(share.number) ended with \(exit) before it served; it last wrote:
                \(TextFile.tail(share.logPath))
                """
        }
        return nil
    }

    /// Kills what is over its budget, notices what has ended, starts again what has been down for a second.
    func look(_ load: LoadSnapshot, at now: Uptime) throws(DrillError) {
        var memory: [Int64?] = []
        let seconds = load.startedAt.map { now - $0 }
        for place in shares.indices {
            let running = state.withLock { $0.running[place] }
            memory.append(try lookAt(place, running, at: now, seconds: seconds))
        }
        if let seconds, state.withLock({ $0.move?.look(memory, at: seconds) == true }) {
            restartAll(at: now, seconds: seconds)
        }
        let isDue = state.withLock { state in
            if let last = state.lastStatus, now - last < 1 { return false }
            state.lastStatus = now
            return true
        }
        guard isDue else { return }
        tell(
            .status(
                DrillStatus(
                    arm: .control, seconds: seconds, requests: load.requests, failed: load.failed,
                    p99Milliseconds: load.p99Milliseconds, memory: memory, budgetBytes: budgetBytes)))
    }

    func stopAll() {
        let processes = state.withLock { $0.running.compactMap(\.process) }
        for process in processes { process.killGroup() }
    }

    private func lookAt(
        _ place: Int, _ running: Running, at now: Uptime, seconds: Double?
    ) throws(DrillError) -> Int64? {
        let number = shares[place].number
        guard let process = running.process else {
            if let restartAt = running.restartAt, restartAt < now {
                let process = try shares[place].start()
                state.withLock { state in
                    state.running[place] = Running(process: process)
                    state.restarts += 1
                }
                tell(.note(.control, seconds: seconds, text: "process \(number) is started again"))
            }
            return nil
        }
        if let exit = process.exitNow() {
            ended(place, at: now)
            tell(.note(.control, seconds: seconds, text: "process \(number) ended with \(exit)"))
            return nil
        }
        guard let resident = process.residentBytes() else { return nil }
        guard resident > budgetBytes else { return resident }
        process.killGroup()
        ended(place, at: now)
        let size = ByteCount(resident)
        tell(.note(.control, seconds: seconds, text: "process \(number) is killed: \(size), over its budget"))
        return resident
    }

    /// As somebody would at a console: told to stop, then started again by the supervisor.
    private func restartAll(at now: Uptime, seconds: Double) {
        tell(.note(.control, seconds: seconds, text: "all processes are restarted, as was done then"))
        for place in shares.indices {
            guard let process = state.withLock({ $0.running[place].process }) else { continue }
            process.send(SIGTERM)
            if process.waitForExit(milliseconds: 2_000) == nil { process.killGroup() }
            // Asked for: not one of those that the fault brought about.
            state.withLock {
                $0.running[place] = Running(process: nil, restartAt: now + ControlArm.restartAfterSeconds)
                $0.restarts -= 1
            }
        }
    }

    private func ended(_ place: Int, at now: Uptime) {
        state.withLock {
            $0.running[place] = Running(process: nil, restartAt: now + ControlArm.restartAfterSeconds)
        }
    }
}
