import CLinux
import Glibc

/// The keeper's own log: lines with a UTC time, at most `cap` bytes and as much again of the part before.
/// A line that cannot be written (full disk) is lost: the workers matter more.
final class KeeperLog {
    static let cap: Int64 = 1 << 20

    private let descriptor: Int32
    private let previous: String
    private var suppressed: [String: (until: UInt64, count: UInt64)] = [:]

    init(path: String) {
        descriptor = linux_open_log(path, 0o600)
        previous = "\(path).1"
    }

    /// Sends stderr here too, so that the runtime's last words are found should the keeper ever crash.
    func takeStandardError() {
        if descriptor >= 0 { dup2(descriptor, STDERR_FILENO) }
    }

    func line(_ text: String) {
        guard descriptor >= 0 else { return }
        let bytes = Array("\(Self.timestamp()) \(text)\n".utf8)
        _ = write(descriptor, bytes, bytes.count)
        _ = linux_roll_log(descriptor, previous, Self.cap)
    }

    /// A line of a kind that an unfriendly sender could cause at will: one in ten seconds, the others are counted.
    func limited(_ kind: String, _ text: String, at now: UInt64) {
        let entry = suppressed[kind] ?? (0, 0)
        guard entry.until <= now else {
            suppressed[kind] = (entry.until, entry.count &+ 1)
            return
        }
        suppressed[kind] = (now &+ 10_000, 0)
        line(entry.count == 0 ? text : "\(text) (and \(entry.count) more like it)")
    }

    private static func timestamp() -> String {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        var parts = tm()
        gmtime_r(&now.tv_sec, &parts)
        func two(_ value: Int32) -> String { value < 10 ? "0\(value)" : "\(value)" }
        return "\(parts.tm_year &+ 1900)-\(two(parts.tm_mon &+ 1))-\(two(parts.tm_mday))"
            + "T\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec))Z"
    }
}
