import CLinux
import Glibc
import KeeperProtocol

/// The keeper's folder: names of its files, and the lock that keeps a second keeper out.
struct StateFolder {
    /// Absolute, without symbolic links.
    let path: String
    /// Held for as long as the keeper lives; the kernel lets go of it at its death.
    private let lock: Int32

    /// Creates the folder (0700) where needed and takes its lock.
    init(_ asked: String) throws(StartError) {
        try Self.create(asked)
        guard let real = realpath(asked, nil) else {
            throw StartError(text: "cannot use the state folder \(asked): \(errorText(errno))")
        }
        path = String(cString: real)
        free(real)
        try Self.checkRights(path)
        lock = linux_open_locked("\(path)/keeper.lock", 0o600)
        guard lock != -EWOULDBLOCK else {
            throw StartError(
                text: "another keeper already serves \(path); stop it first, or use another state folder", isBusy: true)
        }
        guard lock >= 0 else {
            throw StartError(text: "cannot lock \(path)/keeper.lock: \(errorText(lock))")
        }
        let pid = Array("\(getpid())\n".utf8)
        // The pid is for people who look: the lock works without it.
        if ftruncate(lock, 0) == 0 { _ = pwrite(lock, pid, pid.count, 0) }
        try Self.create(logs)
        for socket in [control, notify] where socket.utf8.count > linux_longest_socket_path {
            throw StartError(text: Self.tooLong(socket) + "; use a state folder with a shorter path")
        }
    }

    var control: String { "\(path)/keeper.sock" }
    var notify: String { "\(path)/notify.sock" }
    var logs: String { "\(path)/logs" }
    var ownLog: String { "\(logs)/keeper.log" }

    func adminSocket(_ key: WorkerKey) -> String { "\(path)/admin-\(key.service)-\(key.number).sock" }
    func log(_ key: WorkerKey) -> String { "\(logs)/\(key.service)-\(key.number).log" }

    /// What is wrong with a worker's socket path; nil when it fits.
    func problem(with key: WorkerKey) -> String? {
        let socket = adminSocket(key)
        return socket.utf8.count > linux_longest_socket_path ? Self.tooLong(socket) : nil
    }

    /// Lets workers of other users reach the notify socket (who sends is checked by process all the same). All other
    /// files in the folder stay closed to them.
    func openToOtherUsers() {
        chmod(path, 0o711)
        chmod(notify, 0o666)
    }

    private static func tooLong(_ socket: String) -> String {
        "the socket path \(socket) has \(socket.utf8.count) bytes, Linux allows \(linux_longest_socket_path)"
    }

    /// Creates the folder and its parents.
    private static func create(_ path: String) throws(StartError) {
        var reached = path.hasPrefix("/") ? "/" : ""
        for part in path.split(separator: "/") {
            reached += reached.isEmpty || reached == "/" ? String(part) : "/\(part)"
            guard mkdir(reached, 0o700) != 0, errno != EEXIST else { continue }
            throw StartError(text: "cannot create the folder \(reached): \(errorText(errno))")
        }
    }

    private static func checkRights(_ path: String) throws(StartError) {
        var information = stat()
        guard stat(path, &information) == 0 else {
            throw StartError(text: "cannot use the state folder \(path): \(errorText(errno))")
        }
        guard information.st_uid == geteuid() else {
            throw StartError(text: "the state folder \(path) belongs to another user (uid \(information.st_uid))")
        }
        guard information.st_mode & 0o022 == 0 else {
            throw StartError(text: "others may write to the state folder \(path); run: chmod go-w \(path)")
        }
    }
}
