import Artefacts
import Glibc
import OakumTestKit
import Testing

@Suite(.timeLimit(.minutes(2)))
struct DamageTests {
    /// With data that does not pack, so that the packed archive has more than a few blocks.
    private static let release: TestRelease = {
        var generator = SeededGenerator(seed: 7)
        var release = TestRelease()
        release.files.append(.init(path: "share/picture", data: generator.bytes(3000)))
        release.links = [("share/index.html", "page.html")]
        return release
    }()

    @Test func `an archive cut off anywhere is told to be`() async throws {
        let packed = Self.release.tar.packed
        try await withTemporaryFolder { folder in
            for count in stride(from: 2, to: packed.count, by: 64) {
                try put(Array(packed[..<count]), folder.file("artefact"))
                let error = #expect(throws: ArtefactError.self) {
                    try Artefact(path: folder.file("artefact")).unpack(into: folder.file("new"))
                }
                #expect(error?.kind == .truncated, "after \(count) of \(packed.count) bytes")
            }
            #expect(listing(folder.path) == ["artefact"])
        }
    }

    @Test func `a tar archive cut off at any block is told to be`() async throws {
        let bytes = Self.release.tar.bytes
        try await withTemporaryFolder { folder in
            for count in stride(from: 0, to: bytes.count, by: 512) {
                try put(TarBytes.gzip(Array(bytes[..<count])), folder.file("artefact"))
                let error = #expect(throws: ArtefactError.self) {
                    try Artefact(path: folder.file("artefact")).unpack(into: folder.file("new"))
                }
                #expect(error?.kind == .truncated, "after \(count) of \(bytes.count) bytes")
            }
            #expect(listing(folder.path) == ["artefact"])
        }
    }

    @Test func `no damage makes it crash, or write anything but the release`() async throws {
        let bytes = Self.release.tar.bytes
        let packed = Self.release.tar.packed
        let good = listing(of: Self.release)
        try await withTemporaryFolder { folder in
            mkdir(folder.file("in"), 0o755)
            let (path, new) = (folder.file("artefact"), folder.file("in/new"))
            try await forAll(seeds: 2000) { generator in
                // Other tests wait for processes meanwhile.
                await Task.yield()
                // Damage to packed bytes seldom gets past the checksum of gzip, so most is done before packing.
                let damaged: [UInt8] =
                    switch generator.int(0...3) {
                    case 0: generator.damaged(packed)
                    case 1: TarBytes.gzip(generator.damaged(bytes))
                    default: TarBytes.gzip(withDamagedHeaders(bytes, &generator))
                    }
                try put(damaged, path)
                do throws(ArtefactError) {
                    let artefact = try Artefact(path: path)
                    guard generator.chance(0.08) else {
                        _ = try artefact.check()
                        return
                    }
                    _ = try artefact.unpack(into: new)
                    #expect(listing(new) == good)
                    removeAll(new)
                } catch {
                    #expect(!error.description.contains("\n"))
                    #expect(listing(folder.path) == ["artefact", "in/"])
                }
            }
        }
    }

    /// Some bytes of some headers changed, their checksums right: what an attacker would do.
    private func withDamagedHeaders(_ bytes: [UInt8], _ generator: inout SeededGenerator) -> [UInt8] {
        var bytes = bytes
        let headers = stride(from: 0, to: bytes.count - 1024, by: 512).filter { bytes[$0 + 257] == UInt8(ascii: "u") }
        for _ in 0..<generator.int(1...3) {
            guard let start = generator.pick(headers) else { continue }
            var block = Array(bytes[start..<start + 512])
            switch generator.int(0...4) {
            case 0: block[156] = generator.pick(Array("0123456xgLKS\u{0}".utf8)) ?? 0
            case 1: block[124 + generator.int(0...10)] = UInt8(generator.int(0x30...0x38))
            case 2:
                block.replaceSubrange(0..<3, with: generator.pick(["../", "/e/", "./.", "bin"])?.utf8.map { $0 } ?? [])
            default: block[generator.int(0...511)] = UInt8(generator.int(0...255))
            }
            TarBytes.sum(&block)
            bytes.replaceSubrange(start..<start + 512, with: block)
        }
        return bytes
    }

    private func listing(of release: TestRelease) -> [String] {
        (["bin/", "share/", "manifest.json"] + release.files.map(\.path)
            + release.links.map { "\($0.path) -> \($0.target)" })
            .sorted()
    }

    private func listing(_ path: String) -> [String] { ArtefactsTests.listing(path) }

    private func removeAll(_ path: String) {
        for entry in listing(path).reversed() {
            let name = entry.split(separator: " ").first.map(String.init) ?? entry
            remove("\(path)/\(name)")
        }
        rmdir(path)
    }
}
