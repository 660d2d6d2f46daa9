/// A session of a user, who is told when it ends.
public final class Session {
    public let user: String
    public var onEnd: (() -> Void)?
    public private(set) var hasEnded = false

    public init(user: String) { self.user = user }

    public func end() {
        hasEnded = true
        onEnd?()
    }
}

/// Counts the sessions that are open.
public final class LeakySessions {
    public private(set) var open = 0

    public init() {}

    public func begin(user: String) -> Session {
        let session = Session(user: user)
        open += 1
        // The session holds the closure, and the closure holds the session.
        session.onEnd = { [unowned self] in if session.hasEnded { open -= 1 } }
        return session
    }
}

/// The same without the cycle.
public final class FixedSessions {
    public private(set) var open = 0

    public init() {}

    public func begin(user: String) -> Session {
        let session = Session(user: user)
        open += 1
        session.onEnd = { [unowned self, weak session] in if session?.hasEnded == true { open -= 1 } }
        return session
    }
}
