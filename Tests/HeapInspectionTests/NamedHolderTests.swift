import HeapInspection
import HeapProfile
import OakumTestKit
import Testing

/// What a cache holds is told by the cache's name.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct `Named holders` {
    private func capture() async throws -> HeapCapture {
        let programs = try await LeakPrograms.built()
        var limits = HeapCapture.Limits()
        limits.time = .seconds(60)
        return try await RunningLeak.with(builtExecutable("fixture-cache"), "fill", sampler: programs.sampler) {
            let image = try HeapFile.read($0.heapFile, isAlive: true)
            return HeapCapture.capture(image, isAlive: true, heapFile: $0.heapFile, limits: limits)
        }
    }

    private func chain(_ function: String, of capture: HeapCapture) throws -> HolderChain {
        let site = try #require(
            capture.profile.sites.first { site in
                site.types.first?.type == "[UInt8]"
                    && site.stacks.contains { $0.frames.contains { $0.function.contains(function) } }
            }, "\(capture.profile.sites.map(\.label))")
        return try #require(capture.chains(of: site).first?.chain)
    }

    @Test func `an entry of a bounded cache is held by the cache of that name`() async throws {
        let capture = try await capture()
        let profile = try chain("keepProfile", of: capture)
        #expect(profile.named == ObjectName(noun: "cache", name: "profiles", boundBytes: 8 << 20), "\(profile)")
        // Keys and values come from one place: either may be looked at.
        let holders = ["static Stores.shared", "Stores.profiles", "BoundedCache<String, CachedProfile> \"profiles\""]
        #expect(profile.path.dropLast() == holders[...])
        #expect(profile.words.contains("held by BoundedCache<String, CachedProfile> \"profiles\", held by "))

        let session = try chain("keepSession", of: capture)
        #expect(session.named == ObjectName(noun: "cache", name: "sessions of instance 3", boundBytes: 4 << 20))
        let page = try chain("keepPage", of: capture)
        #expect(page.named == ObjectName(noun: "cache", name: "pages, named by a long literal"))
    }

    @Test func `what no cache holds has no named holder`() async throws {
        let programs = try await LeakPrograms.built()
        let capture = try await RunningLeak.with(programs.swift, "actor-dictionary", sampler: programs.sampler) {
            HeapCapture.capture(try HeapFile.read($0.heapFile, isAlive: true), isAlive: true, heapFile: $0.heapFile)
        }
        let chains = capture.profile.sites.flatMap { capture.chains(of: $0) }
        #expect(!chains.isEmpty)
        #expect(chains.allSatisfy { $0.chain.named == nil })
    }
}
