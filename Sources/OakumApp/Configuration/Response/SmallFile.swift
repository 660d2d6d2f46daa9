// CDispatch: beside Foundation the compiler takes `stat` for a part of that module.
import CDispatch
import Glibc

/// A small file that was read as a whole.
struct SmallFile {
    var bytes: [UInt8]
    /// Of `stat(2)`: who may do what.
    var mode: mode_t
    var owner: uid_t

    enum Problem: Error {
        case missing
        case notAFile
        case tooLarge
        /// In the system's words.
        case unreadable(String)
    }

    /// Opens before it looks, so that what was judged is what is read. Never waits for a pipe or a device.
    static func read(_ path: String, limit: Int) throws(Problem) -> SmallFile {
        guard !path.utf8.contains(0) else { throw .missing }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
        guard descriptor >= 0 else {
            throw errno == ENOENT || errno == ENOTDIR ? .missing : .unreadable(String(cString: strerror(errno)))
        }
        defer { close(descriptor) }
        var about = stat()
        guard fstat(descriptor, &about) == 0 else { throw .unreadable(String(cString: strerror(errno))) }
        guard about.st_mode & S_IFMT == S_IFREG else { throw .notAFile }
        var bytes = [UInt8](repeating: 0, count: limit + 1)
        var filled = 0
        while filled < bytes.count {
            let count = bytes.withUnsafeMutableBytes { buffer in
                Glibc.read(descriptor, buffer.baseAddress.map { $0 + filled }, buffer.count - filled)
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .unreadable(String(cString: strerror(errno))) }
            if count == 0 { break }
            filled += count
        }
        guard filled <= limit else { throw .tooLarge }
        return SmallFile(bytes: Array(bytes[..<filled]), mode: about.st_mode, owner: about.st_uid)
    }
}
