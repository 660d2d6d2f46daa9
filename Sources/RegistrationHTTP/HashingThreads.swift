internal import CLinux  // thread attributes
internal import Glibc
internal import Synchronization

/// Threads of their own for work that takes tens of milliseconds of CPU: neither an event loop nor Swift's cooperative
/// pool, both of which it would stall.
///
/// The caller bounds what it puts in; the list itself has no bound.
final class HashingThreads: Sendable {
    typealias Work = @Sendable () -> Void

    /// Shared with the threads, so that they can outlive their owner by the piece of work they are at.
    private final class Shared: Sendable {
        private struct State {
            var work: [Work] = []
            var isClosed = false
        }

        private let state = Mutex(State())
        private let wake: Semaphore

        init() {
            wake = Semaphore()
        }

        func add(_ work: @escaping Work) {
            state.withLock { $0.work.append(work) }
            wake.post()
        }

        func close(threads: Int) {
            state.withLock { $0.isClosed = true }
            for _ in 0..<threads { wake.post() }
        }

        /// Until it is closed and nothing is left to do.
        func run() {
            while true {
                wake.wait()
                let (work, isClosed) = state.withLock { state in
                    (state.work.isEmpty ? nil : state.work.removeFirst(), state.isClosed)
                }
                if let work { work() } else if isClosed { return }
            }
        }
    }

    private let shared = Shared()
    private let count: Int

    init(count: Int) throws(HashingSetUpError) {
        self.count = count
        for number in 1...count {
            do throws(HashingSetUpError) {
                try Self.start(shared)
            } catch {
                shared.close(threads: number)
                throw error
            }
        }
    }

    deinit {
        shared.close(threads: count)
    }

    func add(_ work: @escaping Work) {
        shared.add(work)
    }

    private static func start(_ shared: Shared) throws(HashingSetUpError) {
        var attributes = pthread_attr_t()
        guard pthread_attr_init(&attributes) == 0 else { throw .noThread }
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        pthread_attr_setstacksize(&attributes, 512 * 1024)
        let handle = Unmanaged.passRetained(shared)
        var thread = pthread_t()
        let result = pthread_create(
            &thread, &attributes,
            { argument in
                guard let argument else { return nil }
                // Signals are for the threads that wait for them.
                var all = sigset_t()
                sigfillset(&all)
                pthread_sigmask(SIG_BLOCK, &all, nil)
                Unmanaged<Shared>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            }, handle.toOpaque())
        guard result == 0 else {
            handle.release()
            throw .noThread
        }
    }
}

/// A POSIX counting semaphore at an address of its own.
private final class Semaphore: Sendable {
    // Safe: only the semaphore's own functions touch it, and they may be called from any thread.
    private nonisolated(unsafe) let semaphore: UnsafeMutablePointer<sem_t>

    init() {
        semaphore = .allocate(capacity: 1)
        semaphore.initialize(to: sem_t())
        sem_init(semaphore, 0, 0)
    }

    deinit {
        sem_destroy(semaphore)
        semaphore.deallocate()
    }

    func post() {
        sem_post(semaphore)
    }

    func wait() {
        while sem_wait(semaphore) != 0 {}  // only ever interrupted by a signal: wait on
    }
}
