import Glibc
import OakumTestKit
import Spawning
import Testing

/// The figures against what is known to be there.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct EstimateTests {
    /// 4 seeds, 5 ways of allocating, 30 trials each of about 54 MB at a mean of 16 KiB: the standard deviation of one
    /// trial is 1.0 %. A 95 % interval must cover the truth in 95 ± 2.7 % of 600 trials (three standard errors).
    @Test func `live bytes are unbiased, within ten percent, and their intervals cover as stated`() async throws {
        let programs = try await Programs.built()
        var covered = 0.0
        var trials = 0.0
        for seed in [11, 12, 13, 14] {
            let result = try await programs.run(sampled(every: 16384, seed: seed)).run("estimates", ["30", "\(seed)"])
            #expect(result.exit == .code(0), "\(result.output)")
            let lines = result.output.split(separator: "\n").map { $0.split(separator: " ") }
            #expect(lines.map { $0[0] } == ["malloc", "calloc", "memalign", "growing", "shrinking"])
            for line in lines {
                let values = line.dropFirst().compactMap { Double($0) }
                let (meanError, coverage, count, worst) = (values[1], values[2], values[3], values[4])
                // The mean of 30 trials: four standard errors are 0.8 %.
                #expect(abs(meanError) < 0.8, "seed \(seed), \(line[0]): \(meanError) %")
                #expect(worst < 10, "seed \(seed), \(line[0]): \(worst) %")
                covered += coverage / 100 * count
                trials += count
            }
        }
        let coverage = 100 * covered / trials
        #expect(coverage > 92.3 && coverage < 97.7, "\(coverage) % of \(trials) intervals")
    }

    @Test(arguments: [
        sampled(every: 65536), exact, sampled(every: 65536).merging(["OAKUM_HEAP_ERROR_BYTES": "256"]) { $1 },
    ])
    func `the bytes in use stay within their stated error`(environment: [String: String]) async throws {
        let result = try await Programs.built().run(environment).run("in_use")
        #expect(result.exit == .code(0), "\(result.output)")
    }

    @Test func `stacks are right or cut, never guessed`() async throws {
        let result = try await Programs.built().run(exact).run("frames")
        #expect(result.exit == .code(0), "\(result.output)")
    }

    @Test func `full tables count what they lose, and take up again`() async throws {
        let tables = ["OAKUM_HEAP_MODE": "exact", "OAKUM_HEAP_RECORDS": "256", "OAKUM_HEAP_STACKS": "16"]
        let result = try await Programs.built().run(tables).run("full")
        #expect(result.exit == .code(0), "\(result.output)")
    }

    @Test func `the modules follow dlopen and dlclose`() async throws {
        let programs = try await Programs.built()
        let plugins = [programs.file("libplugin.so"), programs.file("libplugin2.so")]
        let result = try await programs.run(exact).run("libraries", plugins)
        #expect(result.exit == .code(0), "\(result.output)")
    }

    @Test func `after SIGKILL the profile is there`() async throws {
        let programs = try await Programs.built()
        try await withTemporaryFolder { folder in
            let environment = sampled(every: 16384).merging([
                "OAKUM_HEAP_FILE": folder.file("heap"), "LD_PRELOAD": programs.library,
            ]) { $1 }
            try await withProcess(programs.file("leaker"), ["20"], environment: environment) { process in
                _ = try await process.line(containing: "leaked")
                process.send(SIGKILL)
                let exit = try await process.waitForExit()
                #expect(exit == .signal(SIGKILL))
                let heap = try await programs.read(folder.file("heap"))
                #expect(heap["state"] == "1" && heap["pid"] == "\(process.pid)")
                let live = try #require(heap["live_bytes"].flatMap(Double.init))
                let inUse = try #require(heap["bytes_in_use"].flatMap(Double.init))
                // It leaked on until the signal came; each kilobyte takes 1,040 bytes of the allocator.
                #expect(live > 18_900_000 && inUse > 20_900_000)
                #expect(abs(live / (inUse * 1024 / 1040) - 1) < 0.1, "\(live) against \(inUse)")
                #expect(heap["odd_stacks"] == "0" && heap["odd_modules"] == "0")
                #expect(heap["odd_records"].flatMap(Int.init).map { $0 <= 1 } == true)
            }
        }
    }
}
