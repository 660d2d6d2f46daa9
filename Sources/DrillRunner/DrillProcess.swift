import Glibc
import OakumModel
import ProcessReadings
import Spawning

extension SpawnedProcess {
    /// A process of the drill.
    /// - Parameters:
    ///   - words: argv, its first word a path.
    ///   - environment: added to the drill's own.
    convenience init(
        _ words: [String], environment: [(key: String, value: String)], logPath: String
    ) throws(DrillError) {
        do {
            try self.init(
                words, environment: Dictionary(environment.map { ($0.key, Optional($0.value)) }) { $1 },
                outputPath: logPath)
        } catch {
            throw .couldNotRun(error.reason)
        }
    }

    /// Resident memory right now (`/proc/PID/statm` field 2); nil when it cannot be read.
    func residentBytes() -> Int64? {
        guard let bytes = FileBytes.read(path: "/proc/\(pid)/statm", limit: 4_096),
            let memory = ProcessMemory(bytes.span), memory.residentPages > 0
        else { return nil }
        return Int64(memory.residentPages * Machine.pageBytes)
    }
}

/// The text of the first MiB of a file; nil when it cannot be read.
func readSmallFile(_ path: String) -> String? {
    FileBytes.read(path: path, limit: 1 << 20).map { String(decoding: $0, as: UTF8.self) }
}

/// The last lines of a log, for messages about failures. At most 2,000 bytes.
func tail(of path: String, lines: Int = 12) -> String {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return "(no log at \(path))" }
    defer { close(descriptor) }
    let size = lseek(descriptor, 0, SEEK_END)
    lseek(descriptor, max(0, size - 2_000), SEEK_SET)
    var chunk = [UInt8](repeating: 0, count: 2_000)
    let count = read(descriptor, &chunk, chunk.count)
    guard count > 0 else { return "(it wrote nothing)" }
    let text = String(decoding: chunk[..<count], as: UTF8.self)
    return text.split(separator: "\n").suffix(lines).joined(separator: "\n")
}

/// Seconds since boot: the clock of events.
func uptimeNow() -> Uptime {
    var time = timespec()
    clock_gettime(CLOCK_BOOTTIME, &time)
    return Uptime(seconds: Double(time.tv_sec) + Double(time.tv_nsec) / 1e9)
}
