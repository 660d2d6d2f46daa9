import Glibc

/// The socket file of the control server: at most one living `oakum` holds it.
///
/// A lock beside it (`PATH.lock`, flock(2)) settles who may replace the file a dead process left behind; the kernel
/// releases the lock however its holder ends. Nobody can connect before the mode is 0600: it is set on the socket before
/// it is bound.
struct ControlSocketFile: Sendable {
    let path: String
    /// Listening; handed to the server.
    let descriptor: CInt
    private let lock: CInt

    /// Claims the path. Throws `.alreadyRunning` when a living process holds it.
    static func claim(_ path: String) throws(ListenError) -> ControlSocketFile {
        // sockaddr_un.sun_path holds 108 bytes with the final NUL (unix(7)).
        guard !path.isEmpty, path.utf8.count < 108, !path.utf8.contains(0) else {
            throw .invalidAddress(
                "the path of a socket has 1 to 107 bytes, this one has \(path.utf8.count): choose a shorter state "
                    + "folder than for \(path)")
        }
        let lock = try takeLock(path)
        do throws(ListenError) {
            try removeDead(path)
            return ControlSocketFile(path: path, descriptor: try bindPrivately(path), lock: lock)
        } catch {
            close(lock)
            throw error
        }
    }

    /// Removes the file, which is ours as long as the lock is, and lets the lock go. The server has closed the socket.
    func release() {
        unlink(path)
        close(lock)
    }

    private static func takeLock(_ path: String) throws(ListenError) -> CInt {
        let name = path + ".lock"
        let lock = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard lock >= 0 else {
            throw .cannotListen("cannot open \(name): \(errorText()); the state folder must exist and be writable")
        }
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            let reason = errno
            close(lock)
            if reason == EWOULDBLOCK { throw running(path) }
            throw .cannotListen("cannot lock \(name): \(errorText(reason))")
        }
        return lock
    }

    private static func running(_ path: String) -> ListenError {
        .alreadyRunning(
            "another oakum runs with this state folder (it holds \(path)): use it with `oakum status`, stop it with "
                + "`oakum down`, or name another folder with --state")
    }

    /// Removes a socket nobody listens on.
    private static func removeDead(_ path: String) throws(ListenError) {
        // A socket cannot be opened as a file: ENXIO (open(2)). Anything that can is not ours to remove.
        let file = open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC)
        let reason = errno
        if file >= 0 { close(file) }
        if file < 0, reason == ENOENT { return }
        guard file < 0, reason == ENXIO else {
            throw .cannotListen("\(path) exists and is not a socket: move it away")
        }
        let probe = try makeSocket()
        defer { close(probe) }
        let connected = withAddress(path) { connect(probe, $0, $1) }
        guard connected != 0, errno == ECONNREFUSED else {
            // Connected, or its queue is full (EAGAIN), or it is not ours to ask (EACCES): somebody lives there.
            throw running(path)
        }
        guard unlink(path) == 0 || errno == ENOENT else {
            throw .cannotListen("cannot remove the dead socket \(path): \(errorText())")
        }
    }

    private static func bindPrivately(_ path: String) throws(ListenError) -> CInt {
        let descriptor = try makeSocket()
        // Linux gives the file the mode of the socket (less the umask): set before bind(2), it is never wider.
        guard fchmod(descriptor, 0o600) == 0, withAddress(path, { bind(descriptor, $0, $1) }) == 0 else {
            let reason = errorText()
            close(descriptor)
            throw .cannotListen("cannot bind the control socket \(path): \(reason)")
        }
        return descriptor
    }

    private static func makeSocket() throws(ListenError) -> CInt {
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let descriptor = socket(AF_UNIX, type, 0)
        guard descriptor >= 0 else { throw .cannotListen("cannot make a Unix socket: \(errorText())") }
        return descriptor
    }

    private static func withAddress(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> CInt) -> CInt {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }

    private static func errorText(_ code: CInt = errno) -> String {
        String(cString: strerror(code))
    }
}
