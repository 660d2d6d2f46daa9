import Foundation  // JSON
import Glibc
import HeapInspection
import HeapProfile
import OakumModel
import OakumTestKit
import Testing

/// The whole: sampler, profile, symbols, types and holders, on living and dead processes.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct `Captures of a heap` {
    private func capture(
        _ executable: String, _ name: String, leaks: Bool = true, debugFolders: [String] = [],
        limits: HeapCapture.Limits = Self.patient
    ) async throws -> HeapCapture {
        let programs = try await LeakPrograms.built()
        return try await RunningLeak.with(executable, name, leaks: leaks, sampler: programs.sampler) {
            running in
            let image = try HeapFile.read(running.heapFile, isAlive: true)
            return HeapCapture.capture(
                image, isAlive: true, heapFile: running.heapFile, debugFolders: debugFolders,
                limits: limits)
        }
    }

    /// Without optimisation, and beside other tests, things take longer.
    private static var patient: HeapCapture.Limits {
        var limits = HeapCapture.Limits()
        limits.time = .seconds(60)
        return limits
    }

    /// The site whose first stack has a function in it.
    private func site(_ function: String, of capture: HeapCapture) throws -> Site {
        try #require(
            capture.profile.sites.first { site in
                site.stacks.contains { $0.frames.contains { $0.function.contains(function) } }
            }, "\(capture.profile.sites.map(\.label))")
    }

    @Test func `the largest site is the line that leaks, with type and chain`() async throws {
        let capture = try await capture(LeakPrograms.built().swift, "actor-dictionary")
        let top = try #require(capture.profile.sites.first)
        #expect(top.label.contains("Session.init") && top.label.contains("programs.swift:"))
        #expect(top.types.first?.type == "[UInt8]")
        let chain = try #require(capture.chains(of: top).first)
        #expect(chain.chain.path.first == "static SessionCache.shared")
        #expect(chain.blocks * 2 > chain.examined)
        let frames = top.stacks[0].frames
        #expect(frames.contains { $0.function.contains("SessionCache.put") && $0.line != nil })
        #expect(capture.remarks.isEmpty)
    }

    @Test func `a stripped program with its debug file elsewhere is named all the same`() async throws {
        let programs = try await LeakPrograms.built()
        let capture = try await capture(
            programs.stripped(programs.swift), "static-array", debugFolders: [programs.folder])
        let top = try #require(capture.profile.sites.first)
        #expect(top.label.contains("audit") && top.label.contains("programs.swift:"), "\(top.label)")
        #expect(capture.chains(of: top).first?.chain.path.first == "static AuditLog.entries")
    }

    @Test func `a stripped program without its symbols says what to do, and has its types all the same`() async throws {
        let programs = try await LeakPrograms.built()
        let capture = try await capture(programs.stripped(programs.swift), "static-array")
        #expect(capture.remarks.contains { $0.contains("has no symbols") && $0.contains("--symbols FOLDER") })
        #expect(capture.profile.sites.first?.types.first?.type == "[UInt8]")
    }

    @Test func `a table in C has its line, no type, and its global`() async throws {
        let capture = try await capture(LeakPrograms.built().c, "table")
        let site = try site("make_request", of: capture)
        #expect(site.label.contains("make_request (leaks.c:") || site.label.contains("leaks.c:"), "\(site.label)")
        #expect(site.types.isEmpty)
        let chain = try #require(capture.chains(of: site).first?.chain)
        #expect(chain.path.first == "request_table", "\(chain.words)")
        #expect(chain.words.hasPrefix("a block of unknown type"))
    }

    @Test func `a list in C is followed to its head`() async throws {
        let capture = try await capture(LeakPrograms.built().c, "list")
        let chains = capture.chains(of: try site("make_request", of: capture))
        #expect(chains.first?.chain.path.first == "pending_requests", "\(chains.map(\.chain.words))")
    }

    @Test func `what nobody refers to is lost`() async throws {
        let capture = try await capture(LeakPrograms.built().c, "lost")
        let chains = capture.chains(of: try site("make_request", of: capture))
        #expect(chains.first?.chain.root == .unreferenced, "\(chains.map(\.chain.words))")
    }

    @Test(arguments: [false, true])
    func `C++ classes are named by their type information`(isStripped: Bool) async throws {
        let programs = try await LeakPrograms.built()
        let capture = try await capture(isStripped ? programs.stripped(programs.cxx) : programs.cxx, "map")
        let books = try #require(capture.profile.sites.first { $0.types.contains { $0.type == "shop::Book" } })
        let roots = capture.chains(of: books).compactMap(\.chain.path.first)
        let expected = isStripped ? "a global of cxxleaks" : "shop::Catalogue::instance()::catalogue"
        #expect(roots.first?.hasPrefix(expected) == true, "\(roots)")
    }

    @Test func `shared pointers in a vector are followed to it`() async throws {
        let capture = try await capture(LeakPrograms.built().cxx, "listeners")
        let top = try #require(capture.profile.sites.first)
        #expect(capture.chains(of: top).first?.chain.path.first == "shop::recently_seen")
    }

    @Test func `a dead process keeps the types and chains that were captured while it lived`() async throws {
        let programs = try await LeakPrograms.built()
        let (live, dead) = try await RunningLeak.with(programs.swift, "channel", sampler: programs.sampler) { running in
            let image = try HeapFile.read(running.heapFile, isAlive: true)
            let live = HeapCapture.capture(
                image, isAlive: true, heapFile: running.heapFile, limits: Self.patient)
            kill(running.identity.pid, SIGKILL)
            try await running.ended()
            let left = try HeapFile.read(running.heapFile, isAlive: false)
            let dead = HeapCapture.capture(left, isAlive: false, earlier: live.snapshot, limits: Self.patient)
            return (live, dead)
        }
        let top = try #require(dead.profile.sites.first)
        #expect(top.label == live.profile.sites.first?.label)
        #expect(top.types.first?.type == "[UInt8]")
        #expect(dead.chains(of: top).first?.chain.path.first == "static EventBus.shared")
        #expect(dead.snapshot.typedBlocks == live.snapshot.typedBlocks)
    }

    @Test func `a process that has died meanwhile still gives a profile, and the reason why there is no more`()
        async throws
    {
        let programs = try await LeakPrograms.built()
        let capture = try await RunningLeak.with(programs.swift, "channel", sampler: programs.sampler) { running in
            var image = try HeapFile.read(running.heapFile, isAlive: true)
            image.process.identity.startTicks += 1
            return HeapCapture.capture(image, isAlive: true, limits: Self.patient)
        }
        #expect(capture.remarks.contains { $0.contains("has ended") })
        #expect(!capture.profile.sites.isEmpty && capture.snapshot.typedBlocks == 0)
    }

    @Test func `a snapshot survives being saved`() async throws {
        let capture = try await capture(LeakPrograms.built().swift, "closure-cycle")
        let copy = try JSONDecoder().decode(TypeSnapshot.self, from: JSONEncoder().encode(capture.snapshot))
        #expect(copy == capture.snapshot)
    }

}
