@testable import CachePressure
import Foundation
import ProcessReadings
import Testing

/// What recorded control groups and procfs files are read as.
@Suite struct MemorySourcesTests {
    private let megabyte = 1 << 20

    @Test func `version 2 gives every level that has a limit, without the idle page cache`() throws {
        let group = CgroupMemory(version: .two, folder: try tree("two/app.slice/web.service"))
        #expect(group.withAncestors.map { $0.folder.split(separator: "/").last } == ["web.service", "app.slice"])
        let reading = read(groups: group.withAncestors)
        let service = try #require(reading.places.first)
        #expect(service.name == "memory cgroup web.service")
        // 400 MiB less 80 idle; `memory.max` is none, but `memory.high` slows down at 512.
        #expect(service.usedBytes == 320 * megabyte && service.limitBytes == 512 * megabyte)
        #expect(service.limitEvents == 15 && service.killEvents == 0)
        #expect(reading.places.count == 2)
        #expect(reading.places.last?.limitBytes == 1_024 * megabyte)
        #expect(reading.places.last?.usedBytes == 1_020_054_732 - 50 * megabyte)
    }

    @Test func `version 1 has no high limit, and "no limit" is none`() throws {
        let group = CgroupMemory(version: .one, folder: try tree("one/docker/c1"))
        // The folder above the tree has no accounting, so the walk ends at its root.
        #expect(group.withAncestors.count == 3)
        let reading = read(groups: group.withAncestors)
        #expect(reading.places.map(\.name) == ["memory cgroup c1"])
        let place = try #require(reading.places.first)
        #expect(place.usedBytes == 120 * megabyte && place.limitBytes == 256 * megabyte)
        #expect(place.limitEvents == 4_711 && place.killEvents == 2)
    }

    @Test func `the budget counts resident bytes, and a large machine only its last 20 GiB`() throws {
        let small = read(budget: 512 * megabyte, meminfo: "proc/meminfo-small")
        #expect(small.places.map(\.name) == ["process budget", "machine"])
        #expect(small.places[0].usedBytes == 76_800 * Int(Machine.pageBytes))
        #expect(small.places[1].usedBytes == 2_048 * megabyte && small.places[1].limitBytes == 8_192 * megabyte)
        let large = read(meminfo: "proc/meminfo-large")
        #expect(large.places.map(\.limitBytes) == [20 << 30])
        #expect(large.places.map(\.usedBytes) == [10 << 30])
    }

    @Test func `stalls are read as a total, and the kernel's word comes with them`() throws {
        let sources = MemorySources(
            groups: [], pressurePath: try tree("two/app.slice/web.service/memory.pressure"), budgetBytes: nil,
            meminfoPath: "")
        let reading = sources.read(at: .seconds(3), stallTriggered: true)
        #expect(reading.stalledMicroseconds == 123_456 && reading.stallTriggered && reading.time == .seconds(3))
    }

    @Test func `what cannot be read is left out, not taken for nothing`() throws {
        let gone = CgroupMemory(version: .two, folder: try tree("nowhere"))
        let damaged = CgroupMemory(version: .two, folder: try tree("damaged"))
        let reading = read(groups: [gone, damaged], budget: 1, statm: "nowhere", meminfo: "nowhere")
        #expect(reading.places == [] && reading.stalledMicroseconds == nil)
        var governor = MemoryGovernor()
        let cache = MemoryGovernor.Cache(id: 0, cost: 0, heldBytes: 1, fill: 1)
        let decision = governor.decide(reading, caches: [cache])
        #expect(decision.level == .unknown && decision.shares.isEmpty && !decision.trims)
    }

    @Test func `this process can be read, and the kernel accepts the trigger where it offers pressure`() throws {
        let sources = MemorySources.ofThisProcess(budgetBytes: 1 << 40)
        let reading = sources.read(at: .zero, stallTriggered: false)
        #expect(reading.places.contains { $0.name == "machine" })
        let process = try #require(reading.places.first { $0.name == "process budget" })
        #expect(process.usedBytes > megabyte)
        if let path = sources.pressurePath {
            #expect(reading.stalledMicroseconds != nil)
            // The group's file belongs to its owner: only where it can be written at all must the trigger stand.
            if access(path, W_OK) == 0 { #expect(StallTrigger(path: path) != nil) }
        }
        #expect(StallTrigger(path: try tree("proc/nowhere")) == nil)
    }

    @Test func `the group whose pressure counts is that of version 2, even if memory is accounted by version 1`() {
        let mounts = """
            30 20 0:26 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
            31 20 0:27 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
            """
        let groups = "4:memory:/docker/c1\n0::/docker/c1\n"
        #expect(
            CgroupMemory.pressureFolder(groups: Array(groups.utf8), mounts: Array(mounts.utf8))
                == "/sys/fs/cgroup/unified/docker/c1")
        #expect(
            CgroupMemory.locate(groups: Array(groups.utf8), mounts: Array(mounts.utf8))
                == CgroupMemory(version: .one, folder: "/sys/fs/cgroup/memory/docker/c1"))
    }

    // MARK: - Pieces

    private func read(
        groups: [CgroupMemory] = [], budget: Int? = nil, statm: String = "proc/statm", meminfo: String = ""
    ) -> MemoryReading {
        MemorySources(
            groups: groups, pressurePath: nil, budgetBytes: budget, statmPath: folder + statm,
            meminfoPath: folder + meminfo
        ).read(at: .zero, stallTriggered: false)
    }

    private func tree(_ path: String) throws -> String { folder + path }

    private var folder: String {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().path + "/Trees/"
    }
}
