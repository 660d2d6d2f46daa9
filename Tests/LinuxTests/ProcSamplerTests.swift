import CLinux
import Glibc
import LinuxHost
import OakumEngine
import OakumModel
import OakumTestKit
import Spawning
import Testing

@Suite(.serialized, .timeLimit(.minutes(10)))
struct ProcSamplerTests {
    @Test func `the machine is read with the volumes that were asked for, and a missing one is left out`() throws {
        let reading = ProcSampler(volumes: ["/", "/no/such/folder"]).machine()
        #expect(Array(reading.diskFree.keys) == ["/"])
        #expect((0...1).contains(try #require(reading.diskFree["/"])))
        #expect((0...1).contains(try #require(reading.memoryAvailable)))
        #expect(try #require(reading.segmentsSent) >= 0)
    }

    @Test func `a process that grows is seen to grow, by its anonymous memory`() async throws {
        let sampler = ProcSampler()
        let small = try await sampleOf(["grow", "1"], sampler)
        let large = try await sampleOf(["grow", "65"], sampler)
        let difference = (large.rss - small.rss).bytes
        #expect((60 << 20)...(68 << 20) ~= difference)
        let anonymous = try #require(large.anonymous).bytes - (try #require(small.anonymous).bytes)
        #expect((60 << 20)...(68 << 20) ~= anonymous)
        #expect(large.threads == 1 && (large.cpuSeconds ?? -1) >= 0)
    }

    @Test func `samples come in the order asked, nil where the process is gone or another one`() async throws {
        let sampler = ProcSampler()
        try await withFixture(["ready"]) { process in
            let identity = ProcessIdentity(pid: process.pid, startTicks: linux_start_ticks(process.pid))
            let reused = ProcessIdentity(pid: process.pid, startTicks: identity.startTicks + 1)
            let nobody = ProcessIdentity(pid: .max, startTicks: 1)
            let at = sampler.now().uptime
            let samples = sampler.sample([reused, identity, nobody, sampler.ownProcess], at: at)
            #expect(samples.map { $0 != nil } == [false, true, false, true])
            #expect(samples[1]?.at == at)

            process.send(SIGKILL)
            // A zombie until it is reaped: it has no memory, and zero would be a lie.
            try await eventually("the process to die") { sampler.sample([identity], at: at) == [nil] }
            _ = try await process.waitForExit()
            #expect(sampler.sample([identity], at: at) == [nil])
        }
    }

    @Test func `processor time grows with work`() throws {
        let sampler = ProcSampler()
        let own = sampler.ownProcess
        let before = try #require(sampler.sample([own], at: sampler.now().uptime)[0]?.cpuSeconds)
        let start = seconds(CLOCK_PROCESS_CPUTIME_ID)
        var worked = 0.0
        while worked < 0.2 { worked = seconds(CLOCK_PROCESS_CPUTIME_ID) - start }
        let after = try #require(sampler.sample([own], at: sampler.now().uptime)[0]?.cpuSeconds)
        // Procfs counts whole ticks.
        #expect(abs(after - before - worked) < 0.1)
    }

    @Test func `open descriptors are counted`() throws {
        let sampler = ProcSampler()
        let before = try #require(sampler.descriptors(of: sampler.ownProcess)).open
        // Other tests of this process open and close files meanwhile: many make the difference plain.
        let opened = (0..<200).map { _ in open("/dev/null", O_RDONLY | O_CLOEXEC) }
        let after = try #require(sampler.descriptors(of: sampler.ownProcess)).open
        for descriptor in opened { close(descriptor) }
        #expect((100...300).contains(after - before))
        #expect(sampler.descriptors(of: ProcessIdentity(pid: getpid(), startTicks: 1)) == nil)
    }

    @Test func `the limit of open descriptors is that of the process, and follows it`() async throws {
        try await withFixture(["ready"]) { process in
            let sampler = ProcSampler()
            let identity = ProcessIdentity(pid: process.pid, startTicks: linux_start_ticks(process.pid))
            for soft in [64, 57] {
                let code = try await withProcess(
                    "/usr/bin/prlimit", ["--pid", "\(process.pid)", "--nofile=\(soft):"]
                ) { try await $0.waitForExit() }
                #expect(code == .code(0))
                let reading = try #require(sampler.descriptors(of: identity))
                #expect(reading.limit == soft)
                #expect((1...64).contains(reading.open))
            }
        }
    }

    @Test func `files of processes no longer asked for are closed`() async throws {
        try await withFixture(["ready"]) { process in
            let sampler = ProcSampler()
            let other = ProcessIdentity(pid: process.pid, startTicks: linux_start_ticks(process.pid))
            _ = sampler.sample([other], at: sampler.now().uptime)
            #expect(openFiles(of: process.pid) == 2)
            _ = sampler.sample([other], at: sampler.now().uptime)
            #expect(openFiles(of: process.pid) == 2)
            _ = sampler.sample([], at: sampler.now().uptime)
            #expect(openFiles(of: process.pid) == 0)
        }
    }

    @Test(.disabled(if: Sanitizer.isOn, "instrumented code costs what it likes"))
    func `sampling costs little more than reading the two files it reads`() async throws {
        try await withFixture(["ready"]) { process in
            let sampler = ProcSampler()
            let identity = ProcessIdentity(pid: process.pid, startTicks: linux_start_ticks(process.pid))
            // The same process a hundred times is the same work: files stay open between samples either way.
            let hundred = Array(repeating: identity, count: 100)
            _ = sampler.sample(hundred, at: sampler.now().uptime)
            let files = ["statm", "stat"].map { open("/proc/\(process.pid)/\($0)", O_RDONLY | O_CLOEXEC) }
            defer { for file in files { close(file) } }
            var buffer = [UInt8](repeating: 0, count: 1_024)
            let reading = cost { for _ in 0..<100 { for file in files { pread(file, &buffer, buffer.count, 0) } } }
            let sampling = cost { _ = sampler.sample(hundred, at: Uptime(seconds: 0)) }
            // About 4 in a debug build on a quiet machine; what is shipped is several times faster.
            #expect(
                sampling < 15 * reading, "\(sampling * 1_000) ms a hundred samples, \(reading * 1_000) ms the files")
        }
    }

    /// Seconds of this thread's CPU time, the least of some runs.
    private func cost(_ work: () -> Void) -> Double {
        (0..<20).map { _ in
            let before = seconds(CLOCK_THREAD_CPUTIME_ID)
            work()
            return seconds(CLOCK_THREAD_CPUTIME_ID) - before
        }.min() ?? 0
    }

    private func seconds(_ clock: clockid_t) -> Double {
        var time = timespec()
        clock_gettime(clock, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    private func sampleOf(_ mode: [String], _ sampler: ProcSampler) async throws -> Sample {
        try await withFixture(mode) { process in
            let identity = ProcessIdentity(pid: process.pid, startTicks: linux_start_ticks(process.pid))
            let samples = sampler.sample([identity], at: sampler.now().uptime)
            return try #require(samples.first ?? nil)
        }
    }

    private func openFiles(of pid: Int32) -> Int {
        (Int32(0)..<1_024).count { descriptor in
            var buffer = [CChar](repeating: 0, count: 256)
            let count = readlink("/proc/self/fd/\(descriptor)", &buffer, buffer.count)
            let target = String(decoding: buffer.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
            return target.hasPrefix("/proc/\(pid)/stat")
        }
    }
}

/// A fixture worker without a keeper, once it serves.
func withFixture<Result>(
    _ mode: [String], _ body: (ChildProcess) async throws -> Result
) async throws -> Result {
    try await withTemporaryFolder { folder in
        let path = folder.file("notify.sock")
        let notify = linux_bind_notify(path, 0o600)
        guard notify >= 0 else { throw TestKitError("cannot bind \(path)") }
        defer { close(notify) }
        return try await withProcess(
            try builtExecutable("fixture-worker"), mode, environment: ["NOTIFY_SOCKET": path, "LISTEN_FDS": ""]
        ) { process in
            try await eventually("READY=1") {
                var buffer = [UInt8](repeating: 0, count: 256)
                var sender: pid_t = 0
                return linux_receive_notice(notify, &buffer, buffer.count, &sender) > 0 && sender == process.pid
            }
            return try await body(process)
        }
    }
}
