import Glibc

/// Small files of text that are read whole: those of procfs, logs of what was started.
package enum TextFile {
    /// The text of the first MiB; nil when it cannot be read. What is no UTF-8 becomes U+FFFD.
    package static func text(_ path: String) -> String? {
        read(path, from: 0, atMost: 1 << 20).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The last lines of a log, for messages about failures: at most 2,000 bytes.
    package static func tail(_ path: String, lines: Int = 12) -> String {
        guard let bytes = read(path, from: -2_000, atMost: 2_000) else { return "(no log at \(path))" }
        guard !bytes.isEmpty else { return "(it wrote nothing)" }
        let text = String(decoding: bytes, as: UTF8.self)
        return text.split(separator: "\n").suffix(lines).joined(separator: "\n")
    }

    /// - Parameter from: below 0: counted from the end.
    private static func read(_ path: String, from: Int, atMost limit: Int) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        if from < 0 { lseek(descriptor, max(0, lseek(descriptor, 0, SEEK_END) + from), SEEK_SET) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16_384)
        while bytes.count < limit {
            let count = Glibc.read(descriptor, &chunk, min(chunk.count, limit - bytes.count))
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { return nil }
            guard count > 0 else { break }
            bytes += chunk[..<count]
        }
        return bytes
    }
}
