import Glibc

/// A thread that runs beside the test, whatever the tasks do.
struct RunningThread {
    private final class Body {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    private let id: pthread_t

    init(_ run: @escaping @Sendable () -> Void) {
        var id = pthread_t()
        pthread_create(
            &id, nil,
            { body in
                if let body { Unmanaged<Body>.fromOpaque(body).takeRetainedValue().run() }
                return nil
            }, Unmanaged.passRetained(Body(run)).toOpaque())
        self.id = id
    }

    /// Waits for its end.
    func join() { pthread_join(id, nil) }
}
