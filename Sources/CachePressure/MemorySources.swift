internal import CLinux
internal import Glibc
package import ProcessReadings

/// Where readings of memory come from: the process's control group and those above it, its own budget, and the machine.
///
/// Version 1 of control groups (still met in containers) has no `memory.high`, no event counters and no pressure file
/// of its own; there the working set against the limit has to do, and `failcnt`, which page cache alone drives up, only
/// counts together with it.
package struct MemorySources: Sendable {
    /// From the inside out; empty where the process is in no group that is accounted.
    package var groups: [CgroupMemory]
    /// A `memory.pressure` or `/proc/pressure/memory`; nil where the kernel offers neither.
    package var pressurePath: String?
    /// Resident bytes the process should stay below, besides what its group says; nil: no such budget.
    package var budgetBytes: Int?
    /// `statm` of the process the budget is for.
    package var statmPath: String
    package var meminfoPath: String

    package init(
        groups: [CgroupMemory], pressurePath: String?, budgetBytes: Int?, statmPath: String = "/proc/self/statm",
        meminfoPath: String = "/proc/meminfo"
    ) {
        self.groups = groups
        self.pressurePath = pressurePath
        self.budgetBytes = budgetBytes
        self.statmPath = statmPath
        self.meminfoPath = meminfoPath
    }

    /// Those of this process, found out once.
    package static func ofThisProcess(budgetBytes: Int?) -> MemorySources {
        let groups = FileBytes.read(path: "/proc/self/cgroup") ?? []
        let mounts = FileBytes.read(path: "/proc/self/mountinfo", limit: 1 << 20) ?? []
        let own = CgroupMemory.locate(groups: groups, mounts: mounts)
        let candidates = [
            CgroupMemory.pressureFolder(groups: groups, mounts: mounts).map { $0 + "/memory.pressure" },
            "/proc/pressure/memory",
        ]
        return MemorySources(
            groups: own?.withAncestors ?? [],
            pressurePath: candidates.compactMap { $0 }.first { pressure(at: $0) != nil }, budgetBytes: budgetBytes)
    }

    /// Reads everything; what cannot be read is left out. Some 30 microseconds for each group.
    /// - Parameters:
    ///   - time: since any fixed point.
    ///   - stallTriggered: whether the kernel just reported a stall.
    package func read(at time: Duration, stallTriggered: Bool) -> MemoryReading {
        var places = groups.compactMap(place)
        if let process { places.append(process) }
        if let machine { places.append(machine) }
        return MemoryReading(
            time: time, places: places,
            stalledMicroseconds: pressurePath.flatMap(MemorySources.pressure)?.some.totalMicroseconds,
            stallTriggered: stallTriggered)
    }

    private static func pressure(at path: String) -> Pressure? {
        FileBytes.read(path: path).flatMap { Pressure($0.span) }
    }

    private func place(of group: CgroupMemory) -> MemoryReading.Place? {
        guard let reading = group.read() else { return nil }
        let strain = group.strain()
        let limits = [reading.limitBytes, strain.throttleBytes].compactMap { $0 }
        guard let limit = limits.min(), limit > 0 else { return nil }
        let idle = min(reading.inactiveFileBytes ?? 0, reading.usedBytes)
        return MemoryReading.Place(
            name: "memory cgroup \(group.folder.split(separator: "/").last ?? "/")",
            usedBytes: Int(clamping: reading.usedBytes - idle), limitBytes: Int(clamping: limit),
            limitEvents: strain.limitEvents ?? 0, killEvents: strain.killEvents ?? 0)
    }

    private var process: MemoryReading.Place? {
        guard let budgetBytes, let bytes = FileBytes.read(path: statmPath), let memory = ProcessMemory(bytes.span)
        else { return nil }
        return MemoryReading.Place(
            name: "process budget", usedBytes: Int(clamping: memory.residentPages &* Machine.pageBytes),
            limitBytes: budgetBytes)
    }

    /// Of a large machine only the last 20 GiB: a twentieth of 512 GiB free is no emergency.
    private var machine: MemoryReading.Place? {
        guard let bytes = FileBytes.read(path: meminfoPath),
            let total = CgroupMemory.value("MemTotal: ", bytes.span),
            let available = CgroupMemory.value("MemAvailable: ", bytes.span)
        else { return nil }
        let limit = min(Int(clamping: total) << 10, 20 << 30)
        return MemoryReading.Place(
            name: "machine", usedBytes: max(0, limit - Int(clamping: available) << 10), limitBytes: limit)
    }
}
