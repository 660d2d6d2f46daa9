import OakumTestKit
import Paging
import Testing

@Suite
struct ZoneFileTests {
    /// A version 1 file: one transition, from +1 h to +2 h.
    private func file(
        version: UInt8 = 0, time: [UInt8] = [0, 0, 0, 100], kind: UInt8 = 1, leapSeconds: UInt8 = 0,
        magic: String = "TZif"
    ) -> [UInt8] {
        var bytes = Array(magic.utf8) + [version] + [UInt8](repeating: 0, count: 15)
        bytes += [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, leapSeconds, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 8]
        bytes += time + [kind]
        bytes += [0, 0, 14, 16, 0, 0, 0, 0, 28, 32, 1, 4] + Array("AAA\0BBB\0".utf8)
        return bytes + [UInt8](repeating: 0, count: Int(leapSeconds) * 8)
    }

    private func problem(_ bytes: [UInt8]) -> ZoneFileError? {
        do throws(ZoneFileError) {
            _ = try ZoneRules(name: "Test", file: bytes)
            return nil
        } catch {
            return error
        }
    }

    @Test func `a file of the first version has 32-bit times and no rule`() throws {
        let zone = try ZoneRules(name: "Test", file: file())
        #expect(zone.rule == nil)
        #expect(zone.period(at: 99) == ZonePeriod(offsetSeconds: 3_600, abbreviation: "AAA"))
        #expect(zone.period(at: 100) == ZonePeriod(offsetSeconds: 7_200, abbreviation: "BBB"))
        let early = try ZoneRules(name: "Test", file: file(time: [0xFF, 0xFF, 0xFF, 0xFE]))
        #expect(early.transitions.map(\.at) == [-2])
    }

    @Test func `files that cannot be right are refused with the reason`() throws {
        #expect(problem([]) == .foreign)
        #expect(problem(Array("hello".utf8)) == .foreign)
        #expect(problem(file(magic: "TZiF")) == .foreign)
        #expect(problem(file().dropLast()) == .cutOff)
        #expect(problem(file(version: UInt8(ascii: "2"))) == .cutOff)
        #expect(problem(file(kind: 2)) == .invalid("a transition leads to an unknown local time"))
        #expect(problem(file(leapSeconds: 1)) == .countsLeapSeconds)
        #expect(problem([UInt8](repeating: 0, count: ZoneRules.longestFile + 1)) == .tooLarge)
        let vienna = try #require(try ZoneVectors.all().first { $0.name == "Europe/Vienna" }).file
        #expect(problem(vienna) == nil)
        #expect(problem(vienna.dropLast()) == .cutOff)
    }

    @Test func `damaged files are read or refused, and looking things up in them ends`() async throws {
        let files = try ZoneVectors.all().map(\.file) + [file()]
        try await forAll(seeds: 1_000) { generator in
            guard let file = generator.pick(files) else { return }
            let bytes = generator.damaged(file)
            guard self.problem(bytes) == nil else { return }
            let zone = try ZoneRules(name: "Test", file: bytes)
            for _ in 0..<20 {
                let at = Int64(generator.int(-5_000_000_000...5_000_000_000))
                let civil = zone.civil(at: at)
                let instant = zone.instant(of: civil)
                #expect(instant <= at)
                if let next = zone.nextTransition(after: at) { #expect(next > at) }
            }
        }
    }

    @Test func `noise is refused`() async throws {
        try await forAll(seeds: 300) { generator in
            let noise = generator.bytes(generator.int(0...300))
            #expect(self.problem(noise) != nil)
            #expect(self.problem(Array("TZif2".utf8) + noise) != nil)
        }
    }
}
