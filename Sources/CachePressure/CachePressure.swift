public import BoundedCache
internal import CLinux
internal import Glibc
internal import Synchronization

/// Shrinks the caches of a process when memory gets scarce, and lets them grow back.
///
///     let pressure = CachePressure(budgetBytes: 512 << 20) { step in logger.notice("\(step)") }
///     await pressure.run()   // beside the service, until cancelled
///
/// Watches the process's control group and those above it (version 1 and 2), the time tasks stall for memory, a budget
/// of resident bytes, and the machine; what of these there is. `MemoryGovernor` decides, and its documentation says how.
/// Works on a thread of its own, since the pool may be busy just when memory is short, and reads four times a second, up
/// to fifty times near a limit: less than a hundredth of a core.
public final class CachePressure: Sendable {
    /// What was changed, and why: for the log and for metrics.
    public struct Step: Sendable, CustomStringConvertible {
        /// How near the end memory is.
        public var level: MemoryGovernor.Level
        /// The number that decided.
        public var reason: String
        /// Caches whose bound changed: the name, the new share of the configured bound, and the bytes that were freed.
        public var caches: [(name: String, share: Double, freedBytes: Int)]
        /// Milliseconds that giving memory back to the kernel took; nil when it was not done.
        public var trimMilliseconds: Double?

        /// One line: "memory high (memory cgroup web: 91 % of 512 MiB): profiles to 70 % (freed 12 MiB)".
        public var description: String {
            let changes = caches.map { cache in
                let freed = cache.freedBytes >= 1 << 20 ? " (freed \(cache.freedBytes >> 20) MiB)" : ""
                return "\(cache.name) to \(Int(cache.share * 100)) %\(freed)"
            }
            let trim = trimMilliseconds.map { [" memory returned to the kernel in \(Int($0)) ms"] } ?? []
            return "memory \(level) (\(reason)):" + (changes.map { " " + $0 } + trim).joined(separator: ",")
        }
    }

    /// As of the last reading.
    public struct Status: Sendable {
        /// How near the end memory is.
        public var level = MemoryGovernor.Level.unknown
        /// The number that decided.
        public var reason = "no reading yet"
        /// How often bounds were lowered and raised, and memory was given back to the kernel, since the start.
        public var shrinks: UInt64 = 0
        /// See `shrinks`.
        public var growths: UInt64 = 0
        /// See `shrinks`.
        public var trims: UInt64 = 0
        /// Whether the kernel reports stalls by itself; otherwise they are read.
        public var hasStallTrigger = false
    }

    /// Time between two readings, in milliseconds: the nearer a limit, the shorter.
    static let pace = 20...250

    private let registry: CacheRegistry
    private let settings: MemoryGovernor.Settings
    private let sources: MemorySources
    private let onStep: @Sendable (Step) -> Void
    private let shared = Mutex(Status())
    private let stopping = Atomic<Bool>(false)
    private let wake = linux_wake_open()

    /// - Parameters:
    ///   - registry: whose caches are governed; they are asked for anew at each reading.
    ///   - budgetBytes: resident bytes the process should stay below; nil: only groups and machine count.
    ///   - settings: thresholds and paces.
    ///   - onStep: told of every change, on the governor's thread; must not block.
    public convenience init(
        registry: CacheRegistry = .process, budgetBytes: Int? = nil,
        settings: MemoryGovernor.Settings = MemoryGovernor.Settings(),
        onStep: @escaping @Sendable (Step) -> Void = { _ in }
    ) {
        self.init(
            registry: registry, sources: .ofThisProcess(budgetBytes: budgetBytes), settings: settings, onStep: onStep)
    }

    package init(
        registry: CacheRegistry, sources: MemorySources, settings: MemoryGovernor.Settings,
        onStep: @escaping @Sendable (Step) -> Void
    ) {
        self.registry = registry
        self.sources = sources
        self.settings = settings
        self.onStep = onStep
    }

    deinit { if wake >= 0 { close(wake) } }

    /// As of the last reading.
    public var status: Status { shared.withLock { $0 } }

    /// Governs until the task is cancelled; call it once. The caches keep the bounds they have at that moment.
    public func run() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { (done: CheckedContinuation<Void, Never>) in
                let thread = GovernorThread { [self] in
                    govern()
                    done.resume()
                }
                // Without a thread there is nothing to wait for; the status goes on saying that there was no reading.
                if !thread.start() { done.resume() }
            }
        } onCancel: {
            stopping.store(true, ordering: .releasing)
            if wake >= 0 { linux_wake(wake) }
        }
    }

    private func govern() {
        let trigger = sources.pressurePath.flatMap(StallTrigger.init)
        shared.withLock { $0.hasStallTrigger = trigger != nil }
        var governed = GovernedCaches(governor: MemoryGovernor(settings: settings))
        var descriptors = [
            pollfd(fd: wake, events: Int16(POLLIN), revents: 0),
            pollfd(fd: trigger?.descriptor ?? -1, events: Int16(POLLPRI), revents: 0),
        ]
        var isStalled = false
        while !stopping.load(ordering: .acquiring) {
            let reading = sources.read(at: CachePressure.now, stallTriggered: isStalled)
            let step = governed.step(reading, caches: registry.caches)
            publish(step)
            let safe = reading.safeMilliseconds(critical: settings.critical)
            let interval = min(max(safe, CachePressure.pace.lowerBound), CachePressure.pace.upperBound)
            let ready = poll(&descriptors, nfds_t(descriptors.count), Int32(interval))
            isStalled = ready > 0 && Int32(descriptors[1].revents) & POLLPRI != 0
            // The group of the trigger is gone, and its descriptor would be ready for ever.
            if ready > 0, Int32(descriptors[1].revents) & POLLERR != 0 { descriptors[1].fd = -1 }
        }
    }

    private func publish(_ step: Step) {
        shared.withLock { status in
            status.level = step.level
            status.reason = step.reason
            if !step.caches.isEmpty {
                if step.level > .tight { status.shrinks += 1 } else { status.growths += 1 }
            }
            if step.trimMilliseconds != nil { status.trims += 1 }
        }
        if !step.caches.isEmpty || step.trimMilliseconds != nil { onStep(step) }
    }

    static var now: Duration {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }
}

/// A thread that runs one closure.
private final class GovernorThread: Sendable {
    private let body: @Sendable () -> Void

    init(_ body: @escaping @Sendable () -> Void) {
        self.body = body
    }

    /// False when the system has no thread left.
    func start() -> Bool {
        var thread = pthread_t()
        let context = Unmanaged.passRetained(self)
        let failed = pthread_create(
            &thread, nil,
            { context in
                guard let context else { return nil }
                Unmanaged<GovernorThread>.fromOpaque(context).takeRetainedValue().body()
                return nil
            }, context.toOpaque())
        guard failed == 0 else {
            context.release()
            return false
        }
        pthread_detach(thread)
        return true
    }
}
