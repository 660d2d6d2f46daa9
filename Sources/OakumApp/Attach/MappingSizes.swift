import Foundation
import OakumModel
import ProcessReadings

/// Resident bytes of a process by what is mapped (`/proc/PID/smaps`): where growth is when nothing finer is known.
///
/// Costs tens of milliseconds of the kernel's time with the process's mappings locked: once or twice, not every second.
struct MappingSizes: Hashable, Sendable {
    private static let textLimit = 64 << 20

    /// By name: a path, `[heap]`, `[stack]`, or "anonymous memory".
    var bytes: [String: Int64] = [:]

    init() {}

    /// Nil when the right to read it is missing, or the process is gone.
    init?(pid: Int32) {
        guard let text = FileBytes.read(path: "/proc/\(pid)/smaps", limit: Self.textLimit), !text.isEmpty else {
            return nil
        }
        self.init(text)
    }

    /// Lines that are none of its own are passed over.
    init(_ text: [UInt8]) {
        var name = ""
        for line in text.split(separator: UInt8(ascii: "\n")) {
            let words = line.split(separator: UInt8(ascii: " "), maxSplits: 5)
            guard let first = words.first else { continue }
            if first.elementsEqual("Rss:".utf8), words.count > 1 {
                let kibibytes = Int64(String(decoding: words[1], as: UTF8.self)) ?? 0
                bytes[name, default: 0] += kibibytes.multipliedReportingOverflow(by: 1_024).partialValue
            } else if first.last != UInt8(ascii: ":"), first.contains(UInt8(ascii: "-")) {
                let path = words.count > 5 ? String(decoding: words[5], as: UTF8.self) : ""
                let trimmed = path.trimmingCharacters(in: .whitespaces)
                name = trimmed.isEmpty || trimmed.hasPrefix("[anon") ? "anonymous memory" : trimmed
            }
        }
    }

    mutating func add(_ other: MappingSizes) {
        bytes.merge(other.bytes) { $0.addingReportingOverflow($1).partialValue }
    }

    /// What grew since, the most first.
    func growth(since earlier: MappingSizes) -> [(name: String, bytes: Int64)] {
        bytes.map { (name: $0.key, bytes: $0.value - (earlier.bytes[$0.key] ?? 0)) }
            .filter { $0.bytes > 0 }
            .sorted { ($0.bytes, $1.name) > ($1.bytes, $0.name) }
    }
}
