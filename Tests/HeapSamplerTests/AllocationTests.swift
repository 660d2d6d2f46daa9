import OakumTestKit
import Spawning
import Testing

/// What programs see of the sampler: nothing. And what it sees of them: everything they allocate.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct AllocationTests {
    @Test func `the library needs libc alone, and no call of the loader for its thread-local words`() async throws {
        let programs = try await Programs.built()
        try await withProcess("/usr/bin/readelf", ["-dW", "--dyn-syms", programs.library]) { process in
            let exit = try await process.waitForExit()
            #expect(exit == .code(0))
            let lines = process.output().split(separator: "\n")
            let needed = lines.filter { $0.contains("(NEEDED)") }
            #expect(needed.count == 1 && needed[0].contains("[libc.so.6]"))
            #expect(!lines.contains { $0.contains("__tls_get_addr") })
            let exported = lines.filter {
                $0.contains("GLOBAL DEFAULT") && $0.contains(" FUNC ") && !$0.contains("UND")
            }
            .compactMap { $0.split(separator: " ").last }
            #expect(
                Set(exported) == [
                    "malloc", "calloc", "realloc", "reallocarray", "free", "cfree", "free_sized", "free_aligned_sized",
                    "memalign", "aligned_alloc", "posix_memalign", "valloc", "pvalloc", "dlclose",
                ])
        }
    }

    @Test(arguments: [
        ("none", [:]), ("sampled", sampled(every: 256)), ("sampled", sampled(every: 20_000)),
        ("exact", exact.merging(["OAKUM_HEAP_RECORDS": "1024", "OAKUM_HEAP_STACKS": "128"]) { $1 }),
    ])
    func `every entry point keeps its contract`(mode: String, environment: [String: String]) async throws {
        let result = try await Programs.built().run(environment).run("entry_points", [mode])
        #expect(result.exit == .code(0), "\(result.output)")
    }

    @Test func `linked into a program, it interposes as well`() async throws {
        let programs = try await Programs.built()
        try await withTemporaryFolder { folder in
            let environment = [
                "OAKUM_HEAP_FILE": folder.file("heap.%p"), "OAKUM_HEAP_MODE": "exact", "OAKUM_HEAP_RECORDS": "1024",
                "OAKUM_HEAP_STACKS": "128",
            ]
            try await withProcess(programs.file("linked_in"), ["exact"], environment: environment) { process in
                let exit = try await process.waitForExit(within: .seconds(60))
                #expect(exit == .code(0), "\(process.output())")
            }
        }
    }

    @Test func `objects of C++ come through it`() async throws {
        let result = try await Programs.built().run(exact).run("objects")
        #expect(result.exit == .code(0), "\(result.output)")
    }

    @Test func `a Swift program with its library linked in statically is sampled, tasks included`() async throws {
        let result = try await Programs.built().run(sampled(every: 65536)).run("swift_boxes")
        #expect(result.exit == .code(0), "\(result.output)")
        let live = try result.number("live_bytes")
        // 10,000 objects, each with an array of 2,000 bytes.
        #expect(live > 18_000_000 && live < 25_000_000)
        #expect(try result.number("complete") >= 1)
    }

    @Test(arguments: [sampled(every: 8192), exact.merging(["OAKUM_HEAP_RECORDS": "65536"]) { $1 }])
    func `eight threads that free each other's blocks leave no record and lose no byte`(
        environment: [String: String]
    ) async throws {
        let result = try await Programs.built().run(environment).run("threads", ["3", "8"])
        #expect(result.exit == .code(0), "\(result.output)")
    }

    @Test(arguments: ["libjemalloc.so.2", "libtcmalloc_minimal.so.4"])
    func `with another allocator behind it, it works and says so`(allocator: String) async throws {
        let preload = ["/usr/lib/x86_64-linux-gnu/\(allocator)"]
        let programs = try await Programs.built()
        let stress = try await programs.run(sampled(every: 8192), preload: preload).run("threads", ["2", "4"])
        #expect(stress.exit == .code(0), "\(stress.output)")
        // Not more often: the blocks that are sampled take whole pages of these allocators.
        let result = try await programs.run(sampled(every: 65536), preload: preload).run("leaker", ["20", "once"])
        #expect(result.exit == .code(0), "\(result.output)")
        // 2: not glibc's, 4: brings its own operator new.
        #expect(result.heap["flags"] == "6")
        #expect(abs(try result.number("live_bytes") / 20_971_520 - 1) < 0.1)
        #expect(abs(try result.number("bytes_in_use") / 20_971_520 - 1) < 0.1)
    }

    @Test func `an allocator before it is left alone, and that is said`() async throws {
        let programs = try await Programs.built()
        try await withTemporaryFolder { folder in
            let environment = [
                "OAKUM_HEAP_FILE": folder.file("heap"),
                "LD_PRELOAD": "/usr/lib/x86_64-linux-gnu/libjemalloc.so.2 \(programs.library)",
            ]
            try await withProcess(programs.file("leaker"), ["1", "once"], environment: environment) { process in
                let exit = try await process.waitForExit()
                #expect(exit == .code(0))
                #expect(process.output().contains("brings a malloc of its own"))
            }
            #expect(try await programs.read(folder.file("heap")).isEmpty)
        }
    }
}
