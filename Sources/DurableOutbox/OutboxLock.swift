import Glibc

/// The right to deliver from one database: a lock file beside it, held as long as the process lives.
///
/// The kernel takes the lock back when the process ends, however it ends, so whoever holds it knows that every claim in
/// the tables is of a process that is gone. It works between processes of one machine; a database on a network disk
/// shared by several is outside of what SQLite's write-ahead log allows anyway.
struct OutboxLock: ~Copyable {
    private let descriptor: Int32

    /// - Parameter path: of the lock file; nil for a database in memory, which nobody else can see.
    init(path: String?) throws(OutboxError) {
        guard let path else {
            descriptor = -1
            return
        }
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else {
            throw .unusable("the lock file \(path) cannot be opened: \(String(cString: strerror(errno)))")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let code = errno
            close(descriptor)
            throw code == EWOULDBLOCK
                ? .taken(path) : .failed("cannot lock \(path): \(String(cString: strerror(code)))")
        }
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }
}
