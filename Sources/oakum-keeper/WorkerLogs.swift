import CLinux
import Glibc
import KeeperProtocol

/// The log files that workers write their stdout and stderr to. The workers hold the files themselves, so nobody's
/// death breaks a pipe; the keeper only watches their size.
struct WorkerLogs {
    /// Logs of workers that are gone, kept a service; older ones are deleted.
    static let keptOfGone = 16

    private struct Watched {
        var descriptor: Int32
        var path: String
        var cap: Int64
    }

    private let folder: StateFolder
    private var watched: [WorkerKey: Watched] = [:]

    init(folder: StateFolder) {
        self.folder = folder
    }

    /// The file for a worker about to start, open until `forget`; negative (-errno) when it cannot be opened.
    mutating func open(_ key: WorkerKey, cap: UInt64) -> Int32 {
        let cap = Int64(clamping: cap)
        if let known = watched[key] {
            watched[key]?.cap = cap
            return known.descriptor
        }
        let path = folder.log(key)
        let descriptor = linux_open_log(path, 0o600)
        guard descriptor >= 0 else { return descriptor }
        watched[key] = Watched(descriptor: descriptor, path: path, cap: cap)
        prune(key.service)
        return descriptor
    }

    /// Rolls every file that is over its cap.
    func enforceCaps() {
        for log in watched.values { _ = linux_roll_log(log.descriptor, "\(log.path).1", log.cap) }
    }

    mutating func forget(_ key: WorkerKey) {
        guard let known = watched.removeValue(forKey: key) else { return }
        _ = linux_roll_log(known.descriptor, "\(known.path).1", known.cap)
        close(known.descriptor)
    }

    /// Deletes the logs of the longest gone workers of a service: numbers only grow, so the lowest are the oldest.
    private func prune(_ service: String) {
        guard let listing = opendir(folder.logs) else { return }
        defer { closedir(listing) }
        var gone: [UInt32] = []
        while let entry = readdir(listing) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard name.hasPrefix("\(service)-"), name.hasSuffix(".log"),
                let number = UInt32(name.dropFirst(service.utf8.count + 1).dropLast(4)),
                watched[WorkerKey(service: service, number: number)] == nil
            else { continue }
            gone.append(number)
        }
        for number in gone.sorted().dropLast(Self.keptOfGone) {
            let path = folder.log(WorkerKey(service: service, number: number))
            unlink(path)
            unlink("\(path).1")
        }
    }
}
