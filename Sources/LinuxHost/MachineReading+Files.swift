import Glibc
package import OakumEngine
import ProcessReadings

extension MachineReading {
    /// Reads procfs, and how full the volumes under these paths are.
    package static func read(volumes: [String]) -> MachineReading {
        var result = MachineReading()
        result.cpuPressure = Pressure.machine(.cpu)?.some.average10
        result.memoryPressure = Pressure.machine(.memory)?.some.average10
        result.ioPressure = Pressure.machine(.io)?.some.average10
        if let memory = MachineMemory.now() {
            result.memoryAvailable = Double(memory.availableBytes) / Double(memory.totalBytes)
        }
        for path in volumes { result.diskFree[path] = freeShare(of: path) }
        if let segments = SegmentCounts.now() {
            result.segmentsSent = Double(segments.sent)
            result.segmentsRetransmitted = Double(segments.retransmitted)
        }
        let cores = sysconf(Int32(_SC_NPROCESSORS_ONLN))
        result.cores = cores > 0 ? cores : nil
        result.kernelKills = KernelKills.now().map { Double($0) }
        return result
    }

    /// Of what an ordinary user may fill (statvfs(3)); nil when the path is not there.
    private static func freeShare(of path: String) -> Double? {
        var information = statvfs()
        guard statvfs(path, &information) == 0 else { return nil }
        let used = information.f_blocks - min(information.f_blocks, information.f_bfree)
        let whole = used + information.f_bavail
        return whole > 0 ? Double(information.f_bavail) / Double(whole) : nil
    }
}
