import Foundation
import Glibc

/// The folder that holds everything of one running `oakum`: sockets, journal, history, logs. Locked by one `oakum` at
/// a time; the lock goes with the process, however it ends.
package final class StateFolder: Sendable {
    package let path: String
    private let descriptor: Int32

    /// Why a state folder cannot be used.
    package enum Problem: Error, Hashable, Sendable, CustomStringConvertible {
        /// Another `oakum` uses it.
        case inUse(String)
        case unusable(String)

        package var description: String {
            switch self {
            case .inUse(let path):
                "another oakum runs with the state folder \(path): `oakum status --state \(path)` shows it, "
                    + "`oakum down --state \(path)` stops it"
            case .unusable(let text): text
            }
        }
    }

    /// Makes the folder (0700) where it is missing and takes its lock.
    package init(_ path: String) throws(Problem) {
        self.path = path
        // sun_path holds 108 bytes with its NUL, and the longest socket name in here has 45.
        guard path.utf8.count <= 60 else {
            throw .unusable(
                "the state folder's path is longer than 60 bytes, so its sockets could not be opened: "
                    + "choose a shorter one with --state")
        }
        do {
            for folder in [path, path + "/logs", path + "/history", path + "/heap"] {
                try FileManager.default.createDirectory(
                    atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            }
        } catch {
            throw .unusable("the state folder \(path) cannot be made: \(error.localizedDescription)")
        }
        let descriptor = open(Self.lockPath(path), O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw .unusable("the state folder \(path) cannot be written: \(String(cString: strerror(errno)))")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw .inUse(path)
        }
        self.descriptor = descriptor
    }

    deinit {
        close(descriptor)
    }

    /// Whether an `oakum` runs with this folder.
    package static func isInUse(_ path: String) -> Bool {
        let descriptor = open(lockPath(path), O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return flock(descriptor, LOCK_EX | LOCK_NB) != 0
    }

    private static func lockPath(_ path: String) -> String { path + "/oakum.lock" }
}
