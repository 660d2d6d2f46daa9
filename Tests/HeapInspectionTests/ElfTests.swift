import Glibc
import HeapInspection
import HeapProfile
import OakumModel
import OakumTestKit
import Testing

@Suite(.serialized, .timeLimit(.minutes(10)))
struct `ELF files` {
    private func bytes(_ path: String) throws -> [UInt8] {
        guard let file = fopen(path, "re") else { throw TestKitError("cannot open \(path)") }
        defer { fclose(file) }
        var result: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while case let count = fread(&chunk, 1, chunk.count, file), count > 0 { result += chunk.prefix(count) }
        return result
    }

    private func write(_ bytes: [UInt8], to path: String) throws {
        guard let file = fopen(path, "we"), fwrite(bytes, 1, bytes.count, file) == bytes.count, fclose(file) == 0 else {
            throw TestKitError("cannot write \(path)")
        }
    }

    private func header(_ bytes: [UInt8]) -> ElfHeader? {
        ElfHeader { offset, count in
            guard offset <= UInt64(bytes.count), count <= bytes.count - Int(offset) else { return nil }
            return Array(bytes[Int(offset)..<(Int(offset) + count)])
        }
    }

    @Test func `the headers of a program are read`() async throws {
        let header = try #require(header(try bytes(try await LeakPrograms.built().c)))
        #expect(header.isPositionIndependent && header.buildID.count == 20)
        #expect(header.segments.contains { $0.isExecutable } && header.segments.contains { $0.isWritable })
    }

    @Test func `damaged headers are refused or read, and nothing else`() async throws {
        let pristine = Array(try bytes(try await LeakPrograms.built().c).prefix(1_024))
        try await forAll(seeds: 3_000) { generator in
            guard let header = header(generator.damaged(pristine)) else { return }
            #expect(header.segments.count <= ElfHeader.programHeaderLimit)
            #expect(header.buildID.count <= ElfHeader.buildIDLimit)
        }
    }

    /// libdw reads the file in a process of its own: when that one crashes, there are no names, and no more than that.
    @Test func `damaged files cost their names at most`() async throws {
        let pristine = try bytes(try await LeakPrograms.built().cxx)
        let good = try #require(header(pristine))
        try await withTemporaryFolder { folder in
            try await forAll(seeds: 150) { generator in
                var damaged = pristine
                // Half of them keep their headers, so that the damage reaches the tables behind.
                let first = generator.chance(0.5) ? 0 : 4_096
                for _ in 0..<[3, 100, 3_000][generator.int(0...2)] {
                    damaged[generator.int(first...(damaged.count - 1))] = UInt8(generator.int(0...255))
                }
                if generator.chance(0.2) { damaged.removeLast(generator.int(1...(damaged.count / 2))) }
                try write(damaged, to: folder.file("damaged"))
                let module = Symboliser.Module(
                    path: folder.file("damaged"), bias: 0x10_0000, addresses: 0x10_0000..<(0x10_0000 + good.highest),
                    buildID: good.buildID)
                let names = Symboliser(modules: [module]).names(
                    returnAddresses: Set(
                        (0..<40).map { _ in 0x10_0000 + UInt64(generator.int(0...Int(good.highest))) }),
                    dataAddresses: [0x10_0000 + good.highest - 64], deadline: .now + .seconds(5))
                for frames in names.frames.values { #expect(!frames.isEmpty) }
            }
        }
    }

    @Test func `another build's file is not used, and that is said`() async throws {
        let programs = try await LeakPrograms.built()
        let module = Symboliser.Module(
            path: programs.c, bias: 0, addresses: 0..<0x10000, buildID: [UInt8](repeating: 7, count: 20))
        let names = Symboliser(modules: [module]).names(returnAddresses: [0xa00], deadline: .now + .seconds(10))
        #expect(names.frames.isEmpty)
        #expect(names.remarks.contains { $0.contains("another build") })
        let missing = Symboliser.Module(path: "/nowhere/it", bias: 0, addresses: 0..<0x10000, buildID: [])
        let none = Symboliser(modules: [missing]).names(returnAddresses: [0xa00], deadline: .now + .seconds(10))
        #expect(none.remarks.contains { $0.contains("not there any more") })
    }

    @Test func `a debug link and a build-id folder lead to the names`() async throws {
        let programs = try await LeakPrograms.built()
        let id = try #require(header(try bytes(programs.c))).buildID.map { byte in
            (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }
        try await withTemporaryFolder { folder in
            try await LeakPrograms.run("llvm-objcopy", ["--only-keep-debug", programs.c, folder.file("cleaks.debug")])
            try await LeakPrograms.run(
                "llvm-objcopy",
                [
                    "--strip-all", "--add-gnu-debuglink=\(folder.file("cleaks.debug"))", programs.c,
                    folder.file("linked"),
                ])
            let linked = try lines(folder.file("linked"), folders: [])
            #expect(linked.contains("make_request"), "\(linked)")
            let place = folder.file("store/.build-id/\(id[0])")
            try await LeakPrograms.run("/bin/mkdir", ["-p", place])
            try await LeakPrograms.run(
                "/bin/mv", [folder.file("cleaks.debug"), "\(place)/\(id.dropFirst().joined()).debug"])
            #expect(!(try lines(programs.stripped(programs.c), folders: []).contains("make_request")))
            let stored = try lines(programs.stripped(programs.c), folders: [folder.file("store")])
            #expect(stored.contains("make_request"), "\(stored)")
        }
    }

    /// All names that a scan over a file's code finds.
    private func lines(_ path: String, folders: [String]) throws -> Set<String> {
        let header = try #require(header(try bytes(path)))
        let module = Symboliser.Module(
            path: path, bias: 0x40_0000, addresses: 0x40_0000..<(0x40_0000 + header.highest), buildID: header.buildID)
        let code = header.segments.filter(\.isExecutable).flatMap { segment in
            stride(from: segment.address + 16, to: segment.address + segment.byteCount, by: 16).map { 0x40_0000 + $0 }
        }
        let names = Symboliser(modules: [module], debugFolders: folders).names(
            returnAddresses: Set(code), deadline: .now + .seconds(20))
        return Set(names.frames.values.flatMap { $0 }.filter { $0.line != nil }.map(\.function))
    }

    /// The toolchain's symbolizer knows Swift's and clang's debug information best: names must be the same, inlined
    /// callers included.
    @Test(arguments: ["leaks", "cxxleaks"])
    func `names and lines are those of the toolchain's symbolizer`(_ name: String) async throws {
        let path = "\(try await LeakPrograms.built().folder)/\(name)"
        let header = try #require(header(try bytes(path)))
        var generator = SeededGenerator(seed: 11)
        let code = header.segments.filter(\.isExecutable)
        let addresses = (0..<600).map { _ in
            let segment = code[generator.int(0...(code.count - 1))]
            return segment.address + UInt64(generator.int(0...Int(segment.byteCount - 1)))
        }
        let module = Symboliser.Module(
            path: path, bias: 0x40_0000, addresses: 0x40_0000..<(0x40_0000 + header.highest), buildID: header.buildID)
        let names = Symboliser(modules: [module]).names(
            returnAddresses: Set(addresses.map { $0 + 0x40_0001 }), deadline: .now + .seconds(60))
        var same = 0
        var compared = 0
        for (address, expected) in try await reference(path, addresses) {
            // Without debug information both have the symbol table alone, and choose differently there.
            guard expected.contains(where: { $0.line > 0 }), expected[0].function != "??" else { continue }
            compared += 1
            let frames = names.frames[address + 0x40_0001] ?? []
            if frames.map({ $0.line ?? 0 }) == expected.map(\.line) {
                same += 1
            }
        }
        #expect(compared > 50)
        #expect(same == compared, "\(same) of \(compared)")
    }

    private func reference(
        _ path: String, _ addresses: [UInt64]
    ) async throws -> [(UInt64, [(function: String, line: Int)])] {
        try await withTemporaryFolder { folder in
            let wanted = addresses.map { "0x" + String($0, radix: 16) }
            try write(Array(wanted.joined(separator: "\n").utf8), to: folder.file("in"))
            try await LeakPrograms.run(
                "/bin/sh",
                [
                    "-c",
                    "exec $(dirname $(readlink -f $(command -v swiftc)))/llvm-symbolizer --output-style=GNU "
                        + "--no-demangle -f -i -a -e \(path) < \(folder.file("in")) > \(folder.file("out"))",
                ])
            var result: [(UInt64, [(function: String, line: Int)])] = []
            var function = ""
            for line in String(decoding: try bytes(folder.file("out")), as: UTF8.self).split(separator: "\n") {
                if line.hasPrefix("0x") {
                    result.append((try #require(UInt64(line.dropFirst(2), radix: 16)), []))
                } else if let colon = line.lastIndex(of: ":"), line.contains("/") || line.hasPrefix("??:"),
                    !result.isEmpty
                {
                    let number = Int(line[line.index(after: colon)...].prefix { $0.isNumber }) ?? 0
                    result[result.count - 1].1.append((function, number))
                } else {
                    function = String(line)
                }
            }
            return result
        }
    }
}
