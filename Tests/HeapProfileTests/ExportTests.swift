import Foundation
import HeapProfile
import OakumModel
import OakumTestKit
import Testing

struct FoldedStackTests {
    @Test func `stacks are folded outermost first, without the allocator's own frames`() {
        #expect(
            ExampleHeap.profile.foldedStacks() == """
                0x990000;main;closure #2 (App.Request) -> () in App.Routes.add() -> ();\
                App.Registry.remember(Swift.String) -> ();\
                generic specialization <Swift.String> of Swift._NativeDictionary.copyAndResize() -> () 300
                main;NIOCore.ByteBuffer.init(capacity: Swift.Int) -> () 400
                main;closure #2 (App.Request) -> () in App.Routes.add() -> ();\
                App.Registry.remember(Swift.String) -> ();\
                generic specialization <Swift.String> of Swift._NativeDictionary.copyAndResize() -> () 700
                server+0x3000 50
                unknown 10

                """)
    }

    @Test func `separators in names do not break a line`() {
        var frames = ExampleHeap.frames
        frames[ExampleHeap.main] = [Frame(function: "a;b\nc\u{7F}", module: "/srv")]
        let folded = HeapProfile(ExampleHeap.image([(1, 5, 110, 3)]), frames: frames).foldedStacks()
        #expect(folded == "a:b c ;NIOCore.ByteBuffer.init(capacity: Swift.Int) -> () 5\n")
    }
}

struct FlameGraphTests {
    @Test func `the tree sums up bytes and keeps whose code it is`() throws {
        let root = ExampleHeap.profile.flameGraph()
        #expect(root.function == "all" && root.bytes == 1460 && root.ownBytes == 10 && root.growthBytes == nil)
        let main = try #require(root.children.first)
        #expect(main.function == "main" && main.bytes == 1100 && main.ownBytes == 0)
        #expect(main.children.map(\.bytes) == [700, 400])
        let registry = try #require(main.children.first?.children.first)
        #expect(registry.place == "Registry.swift:41" && registry.role == .own)
        #expect(registry.children.first?.role == .runtime && registry.children.first?.ownBytes == 700)
    }

    @Test func `growth is told at every node, also of what is gone`() {
        let later = HeapProfile(
            ExampleHeap.image([(0x1000, 600, 110, 1), (0x7000, 900, 210, 1)]), frames: ExampleHeap.frames)
        let root = later.flameGraph(comparedTo: ExampleHeap.profile)
        #expect(root.growthBytes == 40)
        let main = root.children.first
        #expect(main?.function == "main" && main?.growthBytes == 400)
        #expect(main?.children.map(\.growthBytes) == [800, -400])
        #expect(main?.children.last?.bytes == 0)
    }

    @Test func `what is too small is left out, and its bytes stay in its callers`() {
        let root = ExampleHeap.profile.flameGraph(smallestShare: 0.3)
        #expect(root.bytes == 1460)
        #expect(root.children.map(\.function) == ["main"])
        #expect(root.children.first?.children.count == 1)
    }
}

struct HeapTableTests {
    @Test func `the table names sites, types and verdicts`() {
        let table = ExampleHeap.profile.table(width: 200)
        let lines = table.split(separator: "\n")
        #expect(
            lines[0].hasPrefix("server (pid 42): 1.4 KiB live (1.4 KiB to 1.4 KiB) in about 6 blocks, by 6 samples"))
        #expect(lines[0].hasSuffix("the allocator counts 1.0 MiB"))
        #expect(lines[2].contains("68 %") && lines[2].contains("Registry.swift:41)  [UInt8]"))
        #expect(lines.count == 7, "\(table)")
    }

    @Test func `names are cut in the middle and rows are limited`() {
        let table = ExampleHeap.profile.table(rows: 1, width: 100)
        #expect(table.contains("…") && table.contains("and 3 more sites"))
        #expect(table.split(separator: "\n").dropFirst().prefix(2).allSatisfy { $0.count <= 100 })
    }

    @Test func `growth gets a column and rules the order`() {
        let later = HeapProfile(
            ExampleHeap.image(ExampleHeap.blocks + [(0x9000, 4096, 190, 4)]), frames: ExampleHeap.frames)
        let table = later.table(growth: HeapGrowth(from: ExampleHeap.profile, to: later))
        #expect(table.split(separator: "\n")[2].contains("+4.0 KiB"))
        #expect(table.split(separator: "\n")[2].contains("server+0x3000"))
    }

    @Test func `names cannot steer a terminal`() {
        var frames = ExampleHeap.frames
        frames[ExampleHeap.unnamed] = [Frame(function: "a\u{1B}[31m\u{202E}b\u{9B}c", module: "/srv")]
        let table = HeapProfile(ExampleHeap.image(ExampleHeap.blocks), frames: frames).table()
        #expect(
            table.unicodeScalars.allSatisfy {
                $0 == "\n" || ($0.value >= 0x20 && $0.value != 0x9B && $0.value != 0x202E)
            })
    }
}

struct HeapReportTests {
    @Test func `the JSON keeps its shape`() throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        let data = try encoder.encode(HeapReport(ExampleHeap.profile, limit: 1, stacksPerSite: 1))
        let report = try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
        #expect(
            Set(report.keys) == [
                "bytes_in_use", "confidence", "live_blocks", "live_bytes", "mean_bytes", "mode", "notes", "observed_s",
                "process", "samples", "sites", "sites_left_out", "state",
            ])
        #expect(report["sites_left_out"] as? Int == 3 && report["observed_s"] as? Double == 100)
        let site = try #require((report["sites"] as? [[String: Any]])?.first)
        #expect(
            Set(site.keys) == [
                "fingerprint", "live_blocks", "live_bytes", "reason", "role", "samples", "share", "site", "stacks",
                "survives_rebuild", "type", "types", "verdict",
            ])
        #expect(site["site"] as? String == "App.Registry.remember(Swift.String) -> () (Registry.swift:41)")
        #expect(site["type"] as? String == "[UInt8]" && site["verdict"] as? String == "not_enough_data")
        #expect(try JSONDecoder().decode(HeapReport.self, from: data).sites.count == 1)
    }

    @Test func `a comparison adds growth, sites that are gone too`() {
        let later = HeapProfile(ExampleHeap.image([]), frames: ExampleHeap.frames)
        let report = HeapReport(later, growth: HeapGrowth(from: ExampleHeap.profile, to: later))
        #expect(report.growthBytes?.estimate == -1460)
        #expect(report.sites.map(\.growthBytes?.estimate) == [-10, -50, -400, -1000])
        #expect(report.sites.allSatisfy { $0.liveBytes.estimate == 0 && $0.verdict == .turnsOver })
    }
}
