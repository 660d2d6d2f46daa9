import CLinux
import Glibc
package import OakumEngine
package import OakumModel
import ProcessReadings
import Synchronization

/// `HostReadings` from procfs: two small reads a process and sample, through files that stay open between samples.
///
/// Files of processes that the last call did not ask for are closed. A call for other processes than the last one is
/// right but costs opening.
package final class ProcSampler: HostReadings {
    /// Processes whose files stay open, two descriptors each. More are read all the same, opened each time.
    package static let keptOpen = 256

    private struct State {
        var readers: [ProcessIdentity: ProcessReader] = [:]
        var buffer = [UInt8](repeating: 0, count: 2_048)
    }

    /// Held while reading: a few microseconds a process. Readers are used under it alone.
    private let state: Mutex<State>
    private let volumes: [String]

    /// - Parameter volumes: paths whose volumes are watched for filling up.
    package init(volumes: [String] = []) {
        state = Mutex(State())
        self.volumes = volumes
    }

    package func machine() -> MachineReading { .read(volumes: volumes) }

    package func sample(_ processes: [ProcessIdentity], at uptime: Uptime) -> [Sample?] {
        state.withLock { state in
            if state.readers.count > 0 {
                let asked = Set(processes)
                for process in state.readers.keys where !asked.contains(process) { state.readers[process] = nil }
            }
            return processes.map { Self.reading($0, &state).map { Self.sample($0, at: uptime) } }
        }
    }

    package func descriptors(of process: ProcessIdentity) -> DescriptorReading? {
        guard linux_start_ticks(process.pid) == process.startTicks, let count = openDescriptors(of: process.pid) else {
            return nil
        }
        let limit = DescriptorLimit.read(of: process.pid)
        // Still the same process: both are its own.
        guard linux_start_ticks(process.pid) == process.startTicks else { return nil }
        return DescriptorReading(open: count, limit: limit?.count)
    }

    package var ownProcess: ProcessIdentity {
        let pid = getpid()
        return ProcessIdentity(pid: pid, startTicks: linux_start_ticks(pid))
    }

    package func now() -> Moment {
        var wall = timespec()
        clock_gettime(CLOCK_REALTIME, &wall)
        var boot = timespec()
        clock_gettime(CLOCK_BOOTTIME, &boot)
        return Moment(
            uptime: Uptime(seconds: Double(boot.tv_sec) + Double(boot.tv_nsec) / 1e9),
            wall: WallTime(milliseconds: Int64(wall.tv_sec) * 1_000 + Int64(wall.tv_nsec) / 1_000_000))
    }

    private static func reading(_ process: ProcessIdentity, _ state: inout State) -> ProcessReading? {
        if let known = state.readers[process] {
            if let reading = known.read(&state.buffer) { return reading }
            state.readers[process] = nil
            return nil
        }
        guard
            let reader = ProcessReader(pid: process.pid, startTicks: process.startTicks, buffer: &state.buffer)
        else { return nil }
        if state.readers.count < keptOpen { state.readers[process] = reader }
        return reader.read(&state.buffer)
    }

    private static func sample(_ reading: ProcessReading, at uptime: Uptime) -> Sample {
        func bytes(_ pages: UInt64) -> ByteCount { ByteCount(Int64(clamping: pages &* Machine.pageBytes)) }
        let ticks = reading.stat.userTicks &+ reading.stat.systemTicks
        return Sample(
            at: uptime, rss: bytes(reading.memory.residentPages), anonymous: bytes(reading.memory.anonymousPages),
            cpuSeconds: Double(ticks) / Machine.ticksPerSecond, threads: reading.stat.threads)
    }
}
