package import OakumModel

/// A keeper with its workers as a value, without processes: an order goes in, starts and exits come out in time.
///
/// Follows the rules of the real one: a number in the order is kept alive with a growing backoff, one that left the
/// order is stopped and not started again. How each worker behaves is up to `behaviour`.
package struct KeeperModel: Sendable {
    /// How one process will behave. Times are seconds from its start.
    package struct Behaviour: Sendable {
        /// When it says `READY=1`; nil: never.
        package var readyAfter: Double? = 0.5
        /// When it crashes; nil: never.
        package var diesAfter: Double?
        /// From being told to stop until its exit.
        package var drainSeconds = 0.5
        /// It cannot even be started.
        package var startFails = false
        /// What its memory does: resident bytes at the start, and bytes per second from then on.
        package var baseBytes = 50.0 * 1_048_576
        package var growthPerSecond = 0.0

        package init() {}
    }

    package enum Happening: Hashable, Sendable {
        case started(UInt32, ProcessIdentity)
        case ready(UInt32, ProcessIdentity)
        case exited(UInt32, ProcessIdentity, crashed: Bool, restartIn: Double?)
        case startFailed(UInt32, restartIn: Double?)
    }

    package struct Process: Sendable {
        package let number: UInt32
        package let identity: ProcessIdentity
        package let startedAt: Double
        package let behaviour: Behaviour
        package fileprivate(set) var saidReady = false
        package fileprivate(set) var stopping = false
    }

    private enum Due: Equatable {
        case start(UInt32)
        case ready(ProcessIdentity)
        case death(ProcessIdentity)
        case drained(ProcessIdentity)
    }

    /// The standing order; nil when none was ever applied.
    package private(set) var order: Set<UInt32>?
    /// Living processes by their identity.
    package private(set) var processes: [ProcessIdentity: Process] = [:]
    /// From an order or a backoff's end to the process, in seconds.
    package var startDelay = 0.05
    package var behaviour: @Sendable (UInt32, inout SeededGenerator) -> Behaviour
    private var generator: SeededGenerator
    private var agenda: [(at: Double, due: Due)] = []
    private var crashes: [UInt32: Int] = [:]
    private var nextPID: Int32

    /// - Parameter firstPID: apart from other models' when several run in one world.
    package init(
        seed: UInt64, firstPID: Int32 = 100,
        behaviour: @escaping @Sendable (UInt32, inout SeededGenerator) -> Behaviour = { _, _ in Behaviour() }
    ) {
        self.generator = SeededGenerator(seed: seed)
        self.nextPID = firstPID
        self.behaviour = behaviour
    }

    /// Living processes, oldest first.
    package var living: [Process] {
        processes.values.sorted { $0.identity.pid < $1.identity.pid }
    }

    package func process(of number: UInt32) -> Process? {
        living.last { $0.number == number }
    }

    /// When the next thing happens of itself.
    package var nextTime: Double? { agenda.first?.at }

    package mutating func apply(_ wanted: Set<UInt32>, at now: Double) {
        order = wanted
        agenda.removeAll { entry in
            if case .start(let number) = entry.due { return !wanted.contains(number) }
            return false
        }
        for process in living where !wanted.contains(process.number) && !process.stopping {
            processes[process.identity]?.stopping = true
            schedule(.drained(process.identity), at: now + process.behaviour.drainSeconds)
        }
        for number in wanted.sorted() where process(of: number) == nil && !isPending(number) {
            schedule(.start(number), at: now + startDelay)
        }
    }

    /// Lets the next thing happen. Returns when, and what is to be told.
    package mutating func step() -> (at: Double, happening: Happening?)? {
        guard !agenda.isEmpty else { return nil }
        let (now, due) = agenda.removeFirst()
        switch due {
        case .start(let number):
            return (now, start(number, at: now))
        case .ready(let identity):
            guard let process = processes[identity], !process.stopping else { return (now, nil) }
            processes[identity]?.saidReady = true
            return (now, .ready(process.number, identity))
        case .death(let identity):
            return (now, end(identity, crashed: true, at: now))
        case .drained(let identity):
            return (now, end(identity, crashed: false, at: now))
        }
    }

    /// SIGKILL from outside, now.
    package mutating func kill(_ identity: ProcessIdentity, at now: Double) -> Happening? {
        end(identity, crashed: true, at: now)
    }

    /// From now on nobody crashes, and who will never be ready dies once, at `now`.
    package mutating func calm(at now: Double) {
        behaviour = { _, _ in Behaviour() }
        agenda.removeAll { entry in
            if case .death = entry.due { return true }
            return false
        }
        for process in living where process.behaviour.readyAfter == nil {
            schedule(.death(process.identity), at: now)
        }
    }

    private func isPending(_ number: UInt32) -> Bool {
        agenda.contains { $0.due == .start(number) }
    }

    private mutating func schedule(_ due: Due, at time: Double) {
        let position = agenda.firstIndex { $0.at > time } ?? agenda.endIndex
        agenda.insert((time, due), at: position)
    }

    private mutating func start(_ number: UInt32, at now: Double) -> Happening {
        let behaviour = behaviour(number, &generator)
        guard !behaviour.startFails else {
            return .startFailed(number, restartIn: again(number, at: now))
        }
        let identity = ProcessIdentity(pid: nextPID, startTicks: UInt64(now * 100))
        nextPID += 1
        processes[identity] = Process(number: number, identity: identity, startedAt: now, behaviour: behaviour)
        if let after = behaviour.readyAfter { schedule(.ready(identity), at: now + after) }
        if let after = behaviour.diesAfter { schedule(.death(identity), at: now + after) }
        return .started(number, identity)
    }

    private mutating func end(_ identity: ProcessIdentity, crashed: Bool, at now: Double) -> Happening? {
        guard let process = processes.removeValue(forKey: identity) else { return nil }
        let wanted = order?.contains(process.number) == true
        return .exited(
            process.number, identity, crashed: crashed, restartIn: wanted ? again(process.number, at: now) : nil)
    }

    private mutating func again(_ number: UInt32, at now: Double) -> Double {
        let count = crashes[number, default: 0]
        crashes[number] = min(count + 1, 5)
        let wait = 0.25 * Double(1 << count)
        schedule(.start(number), at: now + wait)
        return wait
    }
}
