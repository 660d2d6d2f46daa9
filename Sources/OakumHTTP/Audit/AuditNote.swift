import Synchronization

/// What the route of one request adds to its audit line.
final class AuditNote: Sendable {
    struct Note: Sendable {
        var object: String?
        var words: String?
        var isMuted = false
    }

    private let state = Mutex(Note())

    var note: Note { state.withLock { $0 } }

    /// What is nil stays as it was.
    func tell(object: String? = nil, words: String? = nil) {
        state.withLock { note in
            note.object = object ?? note.object
            note.words = words ?? note.words
        }
    }

    /// No line at all: one failure too many of somebody who tries.
    func mute() {
        state.withLock { $0.isMuted = true }
    }
}
