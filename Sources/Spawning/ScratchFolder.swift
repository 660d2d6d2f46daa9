import CLinux
import Foundation  // removes a folder with all that is in it
import Glibc

/// A run's own folder under the temporary folder, and everything that was started in it: each process carries the folder's path
/// in its environment or its arguments, and those it starts inherit it, so that none is left behind.
package struct ScratchFolder: Sendable {
    /// Set in the environment of everything that is started here; its value is the path.
    package static let marker = "OAKUM_SCRATCH_FOLDER"

    /// Absolute, without a slash at its end. Short enough for Unix sockets inside, whose paths may have 107 bytes.
    package let path: String

    /// Creates it with mode 0700.
    /// - Parameters:
    ///   - prefix: how its name begins.
    ///   - longestBase: of TMPDIR in bytes; `/tmp` where that is longer.
    /// - Throws: `SpawnError` that names the folder in which none could be created.
    package init(prefix: String, longestBase: Int = 40) throws(SpawnError) {
        var base = ProcessInfo.processInfo.environment["TMPDIR"] ?? "/tmp"
        if base.isEmpty || base.utf8.count > longestBase { base = "/tmp" }
        var template = Array("\(base)/\(prefix)-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw SpawnError(reason: "no folder can be created under \(base): \(String(cString: strerror(errno)))")
        }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    package func file(_ name: String) -> String { "\(path)/\(name)" }

    /// A folder inside, created where it is not there yet.
    package func folder(_ name: String) throws(SpawnError) -> String {
        let inner = file(name)
        guard mkdir(inner, 0o700) == 0 || errno == EEXIST else {
            throw SpawnError(reason: "\(inner) cannot be created: \(String(cString: strerror(errno)))")
        }
        return inner
    }

    /// Removes the folder. What cannot be removed is left to the system's cleaning of its temporary folder.
    package func remove() {
        // Nobody can do more about it than that cleaning.
        try? FileManager.default.removeItem(atPath: path)
    }

    /// Processes of this run that are still there. A keeper or worker whose parent died in a bad moment is found this way.
    package func leftoverProcesses() -> [Int32] {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: "/proc") else {
            return []  // Without /proc nothing of this runs anyway.
        }
        let own = getpid()
        // Who cleans the environment of what it starts (a keeper of workers) names the folder in arguments.
        return names.compactMap(Int32.init).filter { pid in
            pid != own
                && ["cmdline", "environ"].contains { TextFile.text("/proc/\(pid)/\($0)")?.contains(path) ?? false }
        }
    }

    /// Kills what is left, again and again until nothing is: a keeper may start a worker in between. Gives up after five
    /// seconds and returns what survived. Blocks the calling thread.
    @discardableResult
    package func killLeftovers() -> [Int32] {
        for _ in 0..<100 {
            let left = leftoverProcesses()
            if left.isEmpty { return [] }
            for pid in left { kill(pid, SIGKILL) }
            for pid in left { linux_wait_exit(pid, 50) }
        }
        return leftoverProcesses()
    }
}
