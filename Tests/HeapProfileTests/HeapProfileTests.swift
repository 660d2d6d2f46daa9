import HeapProfile
import OakumModel
import OakumTestKit
import Testing

struct HeapProfileTests {
    @Test func `records are grouped by site, largest first`() {
        let profile = ExampleHeap.profile
        #expect(
            profile.sites.map(\.label) == [
                "App.Registry.remember(Swift.String) -> () (Registry.swift:41)", "main", "server+0x3000",
                "unknown (no stack)",
            ])
        #expect(profile.sites.map(\.live.bytes.estimate) == [1000, 400, 50, 10])
        #expect(profile.sites.map(\.live.samples) == [3, 1, 1, 1])
        #expect(profile.sites[0].share == 1000.0 / 1460)
        #expect(profile.total.bytes.estimate == 1460 && profile.total.blocks.estimate == 6)
    }

    @Test func `a site keeps its whole stacks and its types`() throws {
        let site = ExampleHeap.profile.sites[0]
        #expect(site.role == .own)
        #expect(site.frame?.line == 41)
        #expect(site.types.map(\.type) == ["[UInt8]", "App.Entry"])
        #expect(site.types.map(\.bytes) == [700, 300])
        #expect(site.stacks.map(\.bytes) == [700, 300])
        #expect(site.stacks.map(\.quality) == [.complete, .endedEarly])
        try #require(site.stacks.count == 2)
        #expect(site.stacks[0].frames.count == 5 && site.stacks[0].allocatorFrames == 1)
        #expect(site.stacks[0].shown.first?.isInlined == true)
        #expect(site.stacks[1].frames.last?.function == "0x990000", "an address in no file")
        #expect(site.records == [0, 2, 1], "oldest first")
    }

    @Test func `code without symbols is named by file and offset, and not across builds`() {
        let site = ExampleHeap.profile.sites[2]
        #expect(!site.fingerprint.survivesRebuild && ExampleHeap.profile.sites[0].fingerprint.survivesRebuild)
    }

    @Test func `the order of records changes nothing`() async throws {
        let expected = HeapReport(ExampleHeap.profile)
        try await forAll(seeds: 50) { generator in
            let blocks = ExampleHeap.blocks.shuffled(using: &generator)
            let profile = HeapProfile(
                ExampleHeap.image(blocks), frames: ExampleHeap.frames,
                types: [0x1000: "[UInt8]", 0x2000: "App.Entry", 0x3000: "[UInt8]"])
            #expect(HeapReport(profile) == expected)
        }
    }

    @Test func `an address belongs to the file that was mapped there when its stack was seen`() {
        var image = ExampleHeap.image([(0x1000, 10, 110, 1)])
        image.modules = [
            LoadedModule(
                loadBias: 0x1000, addresses: 0x1000..<0x3000, path: "/old.so", loadedNanoseconds: 5,
                unloadedNanoseconds: 10),
            LoadedModule(loadBias: 0x1000, addresses: 0x1000..<0x3000, path: "/new.so", loadedNanoseconds: 20),
        ]
        for (seen, name) in [(UInt64(7), "old.so"), (25, "new.so")] {
            image.stacks[1] = StackTrace(addresses: [0x2001], firstSeenNanoseconds: seen)
            #expect(HeapProfile(image).sites.map(\.label) == ["\(name)+0x1000"])
        }
    }

    @Test func `freed blocks count for survival even where nothing is alive`() {
        var image = ExampleHeap.image([])
        image.freed = [
            FreedLifetimes(
                stack: 3, count: 50, bytes: 500, buckets: [LifetimeBucket(index: 4, count: 50, weight: 500)])
        ]
        let site = HeapProfile(image, frames: ExampleHeap.frames).sites.first
        #expect(site?.verdict.code == .turnsOver)
        #expect(site?.live.bytes.estimate == 0 && site?.share == 0)
    }

    @Test func `an empty image gives an empty profile`() {
        let profile = HeapProfile(ExampleHeap.image([]))
        #expect(profile.sites == [] && profile.total.samples == 0)
        #expect(profile.foldedStacks() == "" && !profile.table().isEmpty && !profile.pprof().isEmpty)
    }

    @Test func `what the sampler could not see is said`() {
        var image = ExampleHeap.image(ExampleHeap.blocks)
        image.counters.droppedSamples = 3
        image.counters.droppedWeight = 3 << 20
        image.skipped.torn = 1
        image.process.blindSpots = [.cxxNewUnseen]
        let notes = HeapProfile(image).notes
        #expect(notes.count == 4)
        #expect(notes[0] == "3 samples found the sampler's table full: about 3.0 MiB are missing")
        #expect(notes[1] == "1 live samples have a stack that ended early, in code without frame pointers")
    }
}

struct HeapGrowthTests {
    @Test func `of one process only what came and went counts`() {
        let before = ExampleHeap.profile
        var blocks = ExampleHeap.blocks.filter { $0.0 != 0x4000 }
        blocks += [(0x7000, 5000, 210, 2), (0x8000, 70, 220, 4)]
        let after = HeapProfile(ExampleHeap.image(blocks, observed: 260), frames: ExampleHeap.frames)
        let growth = HeapGrowth(from: before, to: after)
        #expect(growth.seconds == 60)
        #expect(growth.sites.map(\.bytes.estimate) == [5000, 70, 0, -400])
        #expect(growth.sites[0].label.hasPrefix("App.Registry.remember"))
        #expect(growth.sites[0].isCertain && growth.sites.last?.after == nil)
        #expect(growth.total.estimate == 4670)
        #expect(growth.sites.allSatisfy { $0.bytes.low == $0.bytes.high }, "in exact mode nothing is uncertain")
    }

    @Test func `of two processes sites are matched by fingerprint`() {
        let other = HeapProfile(
            ExampleHeap.image([(0x1000, 900, 110, 1)], pid: 43), frames: ExampleHeap.frames)
        let growth = HeapGrowth(from: ExampleHeap.profile, to: other)
        #expect(growth.seconds == nil)
        #expect(growth.sites.map(\.bytes.estimate).sorted() == [-400, -100, -50, -10])
    }

    @Test func `what lived through adds nothing to the uncertainty`() {
        func image(_ count: Int) -> HeapImage {
            var image = ExampleHeap.image([])
            (image.mode, image.meanBytes) = (.sampled, 1000)
            image.live = (0..<count).map { index in
                AllocationRecord(
                    address: UInt64(index + 1) << 12, size: 10, weight: 1005, bornNanoseconds: UInt64(index), stack: 1)
            }
            return image
        }
        let (before, after) = (HeapProfile(image(1000)), HeapProfile(image(1010)))
        let growth = HeapGrowth(from: before, to: after).sites[0]
        #expect(growth.bytes.estimate == 10050)
        #expect(growth.bytes.low > 0 && growth.bytes.high < 25_000)
        #expect(after.total.bytes.high - after.total.bytes.low > 100_000)
    }

    /// A site that grows by a known amount while much of it turns over.
    @Test func `the interval of growth holds its rate`() async throws {
        let coverage = Coverage()
        try await forAll(seeds: 400) { generator in
            let mean = 1000.0
            func image(_ blocks: [Int]) -> HeapImage {
                var image = ExampleHeap.image([])
                (image.mode, image.meanBytes) = (.sampled, 1000)
                image.live = blocks.map { block in
                    AllocationRecord(
                        address: UInt64(block) << 12, size: 10, weight: 10 / 0.00995016625,
                        bornNanoseconds: UInt64(block),
                        stack: 1)
                }
                return image
            }
            // 5,000 blocks before; 3,000 of them die; 4,000 more come.
            let chance = 10 / mean
            let before = (0..<generator.binomial(5000, chance)).map { $0 }
            let survivors = before.filter { _ in generator.chance(0.4) }
            let fresh = (0..<generator.binomial(4000, chance)).map { $0 + 100_000 }
            let growth = HeapGrowth(from: HeapProfile(image(before)), to: HeapProfile(image(survivors + fresh)))
            coverage.note(growth.total, 10_000)
        }
        print("growth of 10 kB: \(coverage.text()), seeds 1 to 400")
        #expect(coverage.rate() >= 0.93)
    }
}
