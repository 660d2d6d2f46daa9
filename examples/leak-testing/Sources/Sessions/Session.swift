/// A session of a user, who is told when it ends.
package final class Session {
    package let user: String
    package var onEnd: (() -> Void)?
    package private(set) var hasEnded = false

    package init(user: String) { self.user = user }

    package func end() {
        hasEnded = true
        onEnd?()
    }
}

/// Counts the sessions that are open.
package final class LeakySessions {
    package private(set) var open = 0

    package init() {}

    package func begin(user: String) -> Session {
        let session = Session(user: user)
        open += 1
        // The session holds the closure, and the closure holds the session.
        session.onEnd = { [unowned self] in if session.hasEnded { open -= 1 } }
        return session
    }
}

/// The same without the cycle.
package final class FixedSessions {
    package private(set) var open = 0

    package init() {}

    package func begin(user: String) -> Session {
        let session = Session(user: user)
        open += 1
        session.onEnd = { [unowned self, weak session] in if session?.hasEnded == true { open -= 1 } }
        return session
    }
}
