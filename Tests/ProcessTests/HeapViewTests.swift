import Foundation
import OakumAPI
import OakumModel
import OakumRemote
import OakumTestKit
import Outbound
import Testing

/// What the console shows of a heap, on the registration service with incident A's fault.
@Suite(
    .serialized, .tags(.realProcess), .timeLimit(.minutes(10)),
    .disabled(if: Sanitizer.isOn, "the sampler and a sanitizer both take the place of malloc"))
struct HeapViewTests {
    private static let query = HeapQuery(service: "registrar", worker: 1)

    private func signUps(_ range: Range<Int>, _ oakum: OakumUnderTest) async throws {
        for number in range {
            #expect(try await request("POST", oakum.service + "/v1/signup", json: signUp(number)).status == 202)
        }
    }

    /// A moment of the heap is kept by `oakum up` itself when the worker is a minute old.
    private func base(_ oakum: OakumUnderTest, _ pid: Int32) async throws -> String {
        try await eventually("an earlier moment is kept", within: .seconds(150)) {
            try FileManager.default.contentsOfDirectory(atPath: oakum.state + "/heap").first {
                $0.hasPrefix("registrar-\(pid).heap.base.")
            }
        }
    }

    /// Refused while another look is under way or where the machine is too busy for one, and good for ten seconds.
    private func seen(
        _ what: String, _ oakum: OakumUnderTest, where fits: (HeapView) -> Bool
    ) async throws -> HeapView {
        try await eventually(what, within: .seconds(180)) {
            do {
                let view = try await oakum.plane.heap(Self.query)
                return fits(view) ? view : nil
            } catch ControlError.refused {
                return nil
            }
        }
    }

    /// The view names what leaks, in the tree and among the places.
    private func check(_ view: HeapView) throws {
        #expect(view.base != nil, "\(view.remarks)")
        #expect(view.live.estimate > 8_000_000 && view.samples > 50)
        let named = try #require(view.tree.firstIndex { $0.function.contains("VerificationContext.init") })
        // 120 contexts of 64 KiB since then.
        #expect(view.tree[named].growth ?? 0 > 6_000_000 && view.tree[named].growth ?? 0 < 11_000_000)
        #expect(view.tree[named].role == .own)
        #expect(view.tree[named].place?.hasPrefix("ForgetfulVerification.swift:") == true)
        var (index, steps) = (named, 0)
        while let parent = view.tree[index].parent {
            #expect(parent < index && view.tree[parent].bytes >= view.tree[index].bytes)
            (index, steps) = (parent, steps + 1)
        }
        #expect(index == 0 && steps > 2)
        let site = try #require(view.sites.first)
        #expect(site.site.contains("VerificationContext.init"))
        #expect(site.growth?.low ?? 0 > 5_000_000)
        #expect(site.types.first?.type == "[UInt8]")
    }

    @Test func `growth names the function that leaks, on the page too, and of a worker that is gone`() async throws {
        var configuration = TestConfiguration()
        configuration.program = "registrar-drill"
        configuration.arguments += ["--fault", "verification-context"]
        configuration.workers = 1
        configuration.heap = "{sampler: true, sample_every: 16KiB}"
        try await withOakum(configuration) { oakum in
            let pid = try #require(try await oakum.allServing(1).first?.process?.pid)
            #expect(try await oakum.plane.overview().services[0].samplesHeap == true)
            try await signUps(0..<40, oakum)
            let base = try await base(oakum, pid)
            let path = oakum.state + "/heap/" + base
            #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o600)
            try await signUps(40..<160, oakum)
            let view = try await seen("the heap is looked at", oakum) { $0.isAlive }
            #expect(view.process.pid == pid)
            try check(view)
            // Within ten seconds the same look is shown.
            let page = try await request("GET", oakum.console + "/heap?\(Self.query.parameters)", timeout: 30)
            let text = String(decoding: page.body, as: UTF8.self)
            #expect(page.status == 200)
            for part in ["VerificationContext.init", "ForgetfulVerification.swift:", "Growth since", "[UInt8]"] {
                #expect(text.contains(part))
            }
            #expect(!text.contains("@example.com"), "a value of the program's memory is shown")
            let folded = try await oakum.plane.heapFile(Self.query, as: .folded)
            #expect(String(decoding: folded, as: UTF8.self).contains("VerificationContext.init"))

            _ = try await oakum.plane.perform(.recycle(service: "registrar", worker: 1))
            _ = try await oakum.event("the end of the worker") { $0.kind == .workerExited && $0.process?.pid == pid }
            try check(try await seen("what it left is looked at", oakum) { !$0.isAlive })
            try Data("no earlier moment".utf8).write(to: URL(filePath: path))
            let without = try await seen("a damaged earlier moment is passed over", oakum) { $0.base == nil }
            #expect(without.growth == nil && without.live.estimate > 8_000_000)
            #expect(without.remarks.contains { $0.contains("cannot be used") }, "\(without.remarks)")
        }
    }

    @Test func `without the sampler it is said how to switch it on`() async throws {
        var configuration = TestConfiguration()
        configuration.workers = 1
        try await withOakum(configuration) { oakum in
            _ = try await oakum.allServing(1)
            let answer = try await request("GET", oakum.console + "/api/v1/heap?\(Self.query.parameters)")
            #expect(answer.status == 409)
            #expect(String(decoding: answer.body, as: UTF8.self).contains("heap: {sampler: true}"))
        }
    }
}
