import Glibc
import OakumTestKit
import ProcessReadings
import Testing

/// The parsers of procfs and cgroupfs files.
struct ProcessReadingsTests {
    @Test func `stat is read past a name with spaces and brackets`() throws {
        let line = "4711 (a) b (c) S 17 4711 4711 0 -1 4194560 12 0 3 0 250 75 0 0 20 0 9 0 123456789 1000 99 1844\n"
        let stat = try #require(processStat(line.utf8))
        #expect(stat.parent == 17 && stat.session == 4711 && stat.threads == 9)
        #expect(stat.userTicks == 250 && stat.systemTicks == 75 && stat.startTicks == 123_456_789)
        #expect(!stat.isZombie)
    }

    @Test func `statm tells resident and anonymous pages`() throws {
        let memory = try #require(processMemory("5000 1200 300 10 0 800 0\n".utf8))
        #expect(memory.residentPages == 1_200 && memory.anonymousPages == 900)
        let odd = try #require(processMemory("5000 10 300 10 0 800 0\n".utf8))
        #expect(odd.anonymousPages == 0)
    }

    @Test(arguments: ["", " ", "x", "1", "1 2", "1 -2 3", "99999999999999999999999 1 1", "1 2 x"])
    func `a file that is no statm gives nothing`(text: String) {
        #expect(processMemory(text.utf8) == nil)
    }

    @Test(arguments: ["", ")", "1 (a)", "1 (a) S", "1 (a) S 1 2", "1 (a) S 1 1 1 0 -1 0 0 0 0 0 1 2 0 0 0 0 5 0", "("])
    func `a stat that is cut off gives nothing`(text: String) {
        #expect(processStat(text.utf8) == nil)
    }

    @Test func `the limit of descriptors is the soft one`() {
        let head = "Limit                     Soft Limit           Hard Limit           Units     \n"
        func count(_ line: String) -> Int?? {
            let bytes = Array(
                (head + line + "Max locked memory         8388608              8388608              bytes\n").utf8)
            return DescriptorLimit(bytes.span).map(\.count)
        }
        #expect(count("Max open files            1024                 524288               files     \n") == 1_024)
        #expect(count("Max open files            unlimited            unlimited            files     \n") == .some(nil))
        #expect(count("Max open files            99999999999999999999 1                    files     \n") == nil)
        #expect(count("Max open files            -1                   1                    files     \n") == nil)
        #expect(count("Max processes             7                    7                    processes \n") == nil)
    }

    @Test func `no bytes crash a parser`() async throws {
        let samples = [
            "4711 (a b) S 17 4711 4711 0 -1 4194560 12 0 3 0 250 75 0 0 20 0 9 0 123456789 1000 99 1844\n",
            "5000 1200 300 10 0 800 0\n",
            "some avg10=0.12 avg60=1.00 avg300=99.99 total=123456\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=1\n",
            "36 35 0:30 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw\n5:memory:/a\n0::/system.slice/x.service\n",
            "anon 4096\nfile 8192\n",
            "Limit  Soft  Hard  Units\nMax open files            1024                 524288               files     \n",
        ]
        try await forAll(seeds: 2_000) { random in
            let sample = Array((random.pick(samples) ?? "").utf8)
            let bytes = random.chance(0.7) ? random.damaged(sample) : random.bytes(random.int(0...400))
            _ = ProcessStat(bytes.span)
            _ = ProcessMemory(bytes.span)
            _ = Pressure(bytes.span)
            _ = MachineMemory(bytes.span)
            _ = SegmentCounts(bytes.span)
            _ = DescriptorLimit(bytes.span)
            _ = CgroupMemory.amount(bytes.span)
            _ = CgroupMemory.value("anon ", bytes.span)
            _ = CgroupMemory.locate(groups: bytes, mounts: random.damaged(sample))
        }
    }

    @Test func `pressure is read with its averages`() throws {
        let text =
            "some avg10=0.12 avg60=1.50 avg300=99.99 total=123456\nfull avg10=0.00 avg60=0.00 avg300=0.01 total=7\n"
        let both = try #require(pressure(text.utf8))
        #expect(both.some.average10 == 0.12 && both.some.average300 == 99.99)
        #expect(both.some.totalMicroseconds == 123_456 && both.full?.totalMicroseconds == 7)
        let alone = try #require(pressure(text.utf8.prefix { $0 != 10 }))
        #expect(alone.full == nil)
        #expect(pressure("full avg10=0.00 avg60=0.00 avg300=0.01 total=7\n".utf8) == nil)
    }

    @Test func `the machine's memory is read in bytes, and what makes no sense gives nothing`() throws {
        let text = "MemTotal:       24000000 kB\nMemFree:  5 kB\nMemAvailable:   12000000 kB\nBuffers: 1 kB\n"
        let told = try #require(memory(text))
        #expect(told.totalBytes == 24_000_000 * 1_024 && told.availableBytes == 12_000_000 * 1_024)
        for wrong in ["", "MemTotal: 5 kB\n", "MemTotal: 5 kB\nMemAvailable: 6 kB\n", "MemTotal: x\nMemAvailable: 1\n"]
        {
            #expect(memory(wrong) == nil)
        }
        #expect(MachineMemory.now() != nil)
    }

    @Test func `segments are found by the names above them, whatever else a kernel tells`() throws {
        let text = """
            Ip: Forwarding DefaultTTL
            Ip: 1 64
            Tcp: RtoAlgorithm MaxConn OutSegs RetransSegs InErrs
            Tcp: 1 -1 5000 25 0
            Udp: InDatagrams
            Udp: 7

            """
        let counts = try #require(segments(text))
        #expect(counts.sent == 5_000 && counts.retransmitted == 25)
        for wrong in [
            "", "Tcp: OutSegs\nTcp: 5\n", "Tcp: OutSegs RetransSegs\nTcp: -5 1\n", "Tcp: OutSegs RetransSegs\n",
        ] {
            #expect(segments(wrong) == nil)
        }
        #expect(SegmentCounts.now() != nil)
    }

    @Test func `limits are numbers, and no limit is none`() {
        #expect(amount("268435456\n".utf8) == 268_435_456)
        #expect(amount("max\n".utf8) == nil)
        #expect(amount("9223372036854771712\n".utf8) == nil)
        #expect(fileBytes("anon 1\nfile_mapped 2\nfile 3\n".utf8) == 3)
    }

    @Test(arguments: [
        (
            "0::/system.slice/web.service\n", "36 35 0:30 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
            "/sys/fs/cgroup/system.slice/web.service"
        ),
        ("0::/\n", "36 35 0:30 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n", "/sys/fs/cgroup"),
        ("0::/docker/abc/x\n", "36 35 0:30 /docker/abc /cg rw shared:4 - cgroup2 none rw\n", "/cg/x"),
        (
            "9:cpu:/a\n5:memory:/b\n0::/c\n",
            "1 1 0:1 / /cg/cpu rw - cgroup cgroup rw,cpu\n2 1 0:2 / /cg/mem rw - cgroup cgroup rw,memory\n"
                + "3 1 0:3 / /cg/unified rw - cgroup2 cgroup2 rw\n",
            "/cg/mem/b"
        ),
    ])
    func `a process's group is found, in either version`(example: (groups: String, mounts: String, folder: String)) {
        let found = CgroupMemory.locate(groups: Array(example.groups.utf8), mounts: Array(example.mounts.utf8))
        #expect(found?.folder == example.folder)
    }

    @Test func `a group that is not mounted is not found`() {
        let mounts = Array("36 35 0:30 / / rw - ext4 /dev/sda rw\n".utf8)
        #expect(CgroupMemory.locate(groups: Array("0::/a\n".utf8), mounts: mounts) == nil)
    }

    @Test func `this process is read like any other`() throws {
        let bytes = try #require(FileBytes.read(path: "/proc/self/stat"))
        let stat = try #require(processStat(bytes))
        #expect(stat.parent == getppid() && stat.threads >= 1 && stat.startTicks > 0)
        let memory = try #require(FileBytes.read(path: "/proc/self/statm").flatMap { processMemory($0) })
        #expect(memory.residentPages > memory.anonymousPages && memory.anonymousPages > 100)
        if let reading = CgroupMemory.locate(pid: getpid())?.read() { #expect(reading.usedBytes > 0) }
    }
}

// A span cannot pass through the macros of a test.
private func processStat(_ bytes: some Collection<UInt8>) -> ProcessStat? { ProcessStat(Array(bytes).span) }
private func processMemory(_ bytes: some Collection<UInt8>) -> ProcessMemory? { ProcessMemory(Array(bytes).span) }
private func pressure(_ bytes: some Collection<UInt8>) -> Pressure? { Pressure(Array(bytes).span) }
private func amount(_ bytes: some Collection<UInt8>) -> UInt64? { CgroupMemory.amount(Array(bytes).span) }
private func fileBytes(_ bytes: some Collection<UInt8>) -> UInt64? { CgroupMemory.value("file ", Array(bytes).span) }

private func memory(_ text: String) -> MachineMemory? { MachineMemory(Array(text.utf8).span) }

private func segments(_ text: String) -> SegmentCounts? { SegmentCounts(Array(text.utf8).span) }
