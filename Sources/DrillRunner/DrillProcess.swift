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
        do throws(SpawnError) {
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

/// Seconds since boot: the clock of events.
func uptimeNow() -> Uptime {
    var time = timespec()
    clock_gettime(CLOCK_BOOTTIME, &time)
    return Uptime(seconds: Double(time.tv_sec) + Double(time.tv_nsec) / 1e9)
}
