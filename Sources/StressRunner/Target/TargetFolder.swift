import CLinux
import Foundation
import Glibc
import ProcessReadings

/// The run's own folder under the temporary folder, and everything that was started in it: each process carries its path in
/// its environment or its arguments, so that none is left behind.
struct TargetFolder: Sendable {
    static let marker = "OAKUM_STRESS_FOLDER"

    /// Absolute, without a slash at its end.
    let path: String

    init() throws(StressProblem) {
        var base = ProcessInfo.processInfo.environment["TMPDIR"] ?? "/tmp"
        // The path of a Unix socket may have 107 bytes.
        if base.utf8.count > 60 { base = "/tmp" }
        var template = Array("\(base)/oakum-stress-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw .setUp("no folder can be created under \(base): \(String(cString: strerror(errno)))")
        }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    func file(_ name: String) -> String { "\(path)/\(name)" }

    /// Kills what is left, until nothing is, and removes the folder.
    func remove() {
        for _ in 0..<100 {
            let left = processes()
            if left.isEmpty { break }
            for pid in left { kill(pid, SIGKILL) }
            for pid in left { linux_wait_exit(pid, 50) }
        }
        // What cannot be removed is left to the system's cleaning of its temporary folder.
        try? FileManager.default.removeItem(atPath: path)
    }

    private func processes() -> [Int32] {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: "/proc") else {
            return []  // Without /proc nothing of this runs anyway.
        }
        // Who cleans the environment of what it starts (a keeper of workers) names the folder in arguments.
        return names.compactMap(Int32.init).filter { pid in
            pid != getpid()
                && ["environ", "cmdline"].contains { file in
                    FileBytes.read(path: "/proc/\(pid)/\(file)", limit: 1 << 20)
                        .map { String(decoding: $0, as: UTF8.self).contains(path) } ?? false
                }
        }
    }
}

/// A port of 127.0.0.1 that nobody uses, below those the kernel gives to outgoing connections.
func freePort() throws(StressProblem) -> Int {
    let range = 20_000..<32_000
    let start = Int.random(in: range)
    for step in 0..<2_000 {
        let port = range.lowerBound + (start - range.lowerBound + step) % range.count
        if isFree(port) { return port }
    }
    throw .setUp("no free port between \(range.lowerBound) and \(range.upperBound)")
}

private func isFree(_ port: Int) -> Bool {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(UInt16(port)).bigEndian
    address.sin_addr.s_addr = INADDR_LOOPBACK.bigEndian
    return withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
        }
    }
}

/// The last lines of a log, for messages about failures. At most 2,000 bytes.
func logTail(_ path: String, lines: Int = 8) -> String {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return "(no log)" }
    defer { close(descriptor) }
    // From the end: a program that writes a line a request has long logs.
    var bytes = [UInt8](repeating: 0, count: 2_000)
    let count = pread(descriptor, &bytes, bytes.count, max(0, lseek(descriptor, 0, SEEK_END) - bytes.count))
    let text = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    return text.isEmpty ? "(it wrote nothing)" : text.split(separator: "\n").suffix(lines).joined(separator: "\n")
}
