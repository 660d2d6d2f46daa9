import Glibc
import OakumTestKit
import Spawning
import Testing

/// Processes that fork, get signals, forbid system calls, or have a nonsensical environment: unharmed, all of them.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct HostTests {
    @Test(arguments: ["fork", "clone", "vfork", "spawn", "exec"])
    func `a child has a file of its own, and the parent's stays right`(how: String) async throws {
        let result = try await Programs.built().run(sampled(every: 16384)).run("processes", [how])
        #expect(result.exit == .code(0), "\(result.output)")
    }

    @Test func `without a pid in the path a forked child is not sampled`() async throws {
        let result = try await Programs.built().run(sampled(every: 16384), file: "heap").run(
            "processes", ["fork-alone"])
        #expect(result.exit == .code(0), "\(result.output)")
    }

    @Test(arguments: [sampled(every: 4096), exact])
    func `signal handlers may allocate inside the sampler`(environment: [String: String]) async throws {
        let programs = try await Programs.built()
        let run = programs.run(environment, preload: [programs.file("libtiny_allocator.so")])
        let result = try await run.run("signals")
        #expect(result.exit == .code(0), "\(result.output)")
    }

    @Test(arguments: [
        ("mmap_shared", false), ("mmap_private_reserve", false), ("ftruncate", false), ("madvise_fallocate", false),
        ("madvise", true), ("process_vm_readv", true),
    ])
    func `where system calls are refused the program runs, sampled or not`(call: String, isSampled: Bool) async throws {
        let programs = try await Programs.built()
        try await withTemporaryFolder { folder in
            let environment = sampled(every: 65536).merging([
                "OAKUM_HEAP_FILE": folder.file("heap"), "FILTERED_PRELOAD": programs.library,
            ]) { $1 }
            let arguments = [call, programs.file("leaker"), "5", "once"]
            try await withProcess(programs.file("filtered"), arguments, environment: environment) { process in
                let exit = try await process.waitForExit()
                #expect(exit == .code(0), "\(process.output())")
                #expect(process.output().contains("leaked 5242880 bytes"))
                #expect(process.output().contains("not sampled") != isSampled)
                let heap = try await programs.read(folder.file("heap"))
                if isSampled {
                    #expect(heap["odd_modules"] == "0" && heap["modules"].flatMap(Int.init).map { $0 >= 3 } == true)
                } else if call != "mmap_private_reserve" {
                    #expect(heap.isEmpty)
                }
            }
        }
    }

    @Test(arguments: [
        ("OAKUM_HEAP_MEAN_BYTES", "0"), ("OAKUM_HEAP_MEAN_BYTES", "-1"), ("OAKUM_HEAP_MEAN_BYTES", "many"),
        ("OAKUM_HEAP_MEAN_BYTES", "99999999999999999999999999"), ("OAKUM_HEAP_RECORDS", "1"),
        ("OAKUM_HEAP_RECORDS", "18446744073709551615"), ("OAKUM_HEAP_STACKS", "0x10"),
        ("OAKUM_HEAP_MODE", "Exact\u{1B}[2J"),
        ("OAKUM_HEAP_SEED", "%n%n%n"), ("OAKUM_HEAP_FILE", String(repeating: "a", count: 5000)),
        ("OAKUM_HEAP_FILE", String(repeating: "%p", count: 500)), ("OAKUM_HEAP_FILE", "/"),
        ("OAKUM_HEAP_FILE", "/dev/null"),
        ("OAKUM_HEAP_FILE", "%"), ("OAKUM_HEAP_FILE", "/proc/self/mem"),
    ])
    func `a nonsensical setting is said, and the program runs`(name: String, value: String) async throws {
        let programs = try await Programs.built()
        try await withTemporaryFolder { folder in
            let environment = ["OAKUM_HEAP_FILE": folder.file("heap")].merging([name: value]) { $1 }
            let result = try await programs.run(environment).run("leaker", ["2", "once"], in: folder)
            #expect(result.exit == .code(0) && result.output.contains("leaked 2097152 bytes"), "\(result.output)")
            // A percent sign alone is a file name like any other.
            if value != "%" { #expect(result.warnings.count == 1, "\(result.output)") }
            #expect(!result.output.contains("\u{1B}"))
        }
        unlink("%")
    }

    @Test func `a missing folder is said once, or not at all when told so`() async throws {
        let programs = try await Programs.built()
        let file = ["OAKUM_HEAP_FILE": "/nonexistent/folder/heap"]
        let loud = try await programs.run(file).run("leaker", ["2", "once"])
        #expect(loud.exit == .code(0) && loud.warnings.count == 1, "\(loud.output)")
        let quiet = try await programs.run(file.merging(["OAKUM_HEAP_QUIET": "1"]) { $1 }).run("leaker", ["2", "once"])
        #expect(quiet.exit == .code(0) && quiet.warnings.isEmpty, "\(quiet.output)")
    }

    @Test func `a limit on file sizes does not end the program`() async throws {
        let programs = try await Programs.built()
        let command = "ulimit -f 100; exec \(programs.file("leaker")) 2 once"
        let result = try await programs.run().run("/bin/bash", ["-c", command])
        #expect(result.exit == .code(0) && result.output.contains("leaked 2097152 bytes"), "\(result.output)")
        #expect(result.warnings.count == 1)
    }

    @Test func `it never follows a link, and never overwrites what is not its own`() async throws {
        let programs = try await Programs.built()
        try await withTemporaryFolder { folder in
            let target = folder.file("target")
            symlink(target, folder.file("heap"))
            let linked = try await programs.run(file: "heap").run("leaker", ["2", "once"], in: folder)
            #expect(linked.exit == .code(0) && linked.warnings.count == 1)
            #expect(access(target, F_OK) != 0)
            unlink(folder.file("heap"))
            let first = try await programs.run(file: "heap").run("leaker", ["2", "once"], in: folder)
            let second = try await programs.run(file: "heap").run("leaker", ["2", "once"], in: folder)
            #expect(first.warnings.isEmpty && second.warnings.count == 1, "\(second.output)")
            #expect(second.heap["pid"] == first.heap["pid"], "the evidence of a dead process was overwritten")
        }
    }

    @Test func `a path without a pid belongs to the first process, silently`() async throws {
        let programs = try await Programs.built()
        try await withTemporaryFolder { folder in
            let environment = ["OAKUM_HEAP_FILE": folder.file("heap"), "LD_PRELOAD": programs.library]
            try await withProcess(programs.file("leaker"), ["5"], environment: environment) { process in
                _ = try await process.line(containing: "leaked")
                let other = try await programs.run(file: "heap").run("leaker", ["2", "once"], in: folder)
                #expect(other.exit == .code(0) && other.warnings.isEmpty, "\(other.output)")
                #expect(try await programs.read(folder.file("heap"))["pid"] == "\(process.pid)")
            }
        }
    }

    @Test func `a program that never had a sample leaves no file`() async throws {
        let result = try await Programs.built().run(["OAKUM_HEAP_MEAN_BYTES": "1000000000"]).run("/bin/true")
        #expect(result.exit == .code(0) && result.heap.isEmpty)
    }
}
