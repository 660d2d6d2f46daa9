import HeapProfile
import OakumModel
import OakumTestKit
import Testing

/// Reads the protocol buffer wire format, for the test alone.
private struct Fields {
    var numbers: [Int: [UInt64]] = [:]
    var contents: [Int: [[UInt8]]] = [:]

    init(_ bytes: [UInt8]) throws {
        var position = 0
        func varint() throws -> UInt64 {
            var (value, shift) = (UInt64(0), UInt64(0))
            while true {
                try #require(position < bytes.count && shift < 64)
                let byte = bytes[position]
                position += 1
                value |= UInt64(byte & 0x7F) << shift
                guard byte & 0x80 != 0 else { return value }
                shift += 7
            }
        }
        while position < bytes.count {
            let tag = try varint()
            if tag & 7 == 0 {
                numbers[Int(tag >> 3), default: []].append(try varint())
            } else {
                try #require(tag & 7 == 2)
                let length = Int(try varint())
                try #require(length <= bytes.count - position)
                contents[Int(tag >> 3), default: []].append(Array(bytes[position..<position + length]))
                position += length
            }
        }
    }

    func messages(_ field: Int) throws -> [Fields] { try (contents[field] ?? []).map(Fields.init) }
    func number(_ field: Int) -> UInt64 { numbers[field]?.first ?? 0 }

    func packed(_ field: Int) throws -> [UInt64] {
        // A packed field reads like a message of varints without tags.
        try (contents[field] ?? []).flatMap { bytes -> [UInt64] in
            var (values, value, shift) = ([UInt64](), UInt64(0), UInt64(0))
            for byte in bytes {
                try #require(shift < 64)
                value |= UInt64(byte & 0x7F) << shift
                shift += 7
                if byte & 0x80 == 0 {
                    values.append(value)
                    (value, shift) = (0, 0)
                }
            }
            return values
        }
    }
}

struct PprofTests {
    @Test func `the profile reads back as the profile.proto says`() throws {
        let fields = try Fields(ExampleHeap.profile.pprof(takenAt: WallTime(milliseconds: 1_700_000_000_000)))
        let strings = (fields.contents[6] ?? []).map { String(decoding: $0, as: UTF8.self) }
        func text(_ index: UInt64) -> String { strings[Int(index)] }
        #expect(strings.first == "" && Set(strings).count == strings.count)
        let types = try fields.messages(1).map { [text($0.number(1)), text($0.number(2))] }
        #expect(types == [["inuse_objects", "count"], ["inuse_space", "bytes"]])
        #expect(fields.number(9) == 1_700_000_000_000_000_000 && fields.number(12) == 1)

        let mappings = try fields.messages(3)
        #expect(mappings.map { text($0.number(5)) } == [ExampleHeap.server, "/usr/lib/swift/linux/libswiftCore.so"])
        #expect(text(mappings[0].number(6)) == "ab01" && mappings[0].number(2) == 0x40_0000)

        var functions: [UInt64: String] = [:]
        for function in try fields.messages(5) { functions[function.number(1)] = text(function.number(2)) }
        var locations: [UInt64: (address: UInt64, mapping: UInt64, lines: [String])] = [:]
        for location in try fields.messages(4) {
            let lines = try location.messages(4).map { "\(functions[$0.number(1)] ?? "?"):\($0.number(2))" }
            locations[location.number(1)] = (location.number(3), location.number(2), lines)
        }
        let samples = try fields.messages(2)
        #expect(try samples.map { try $0.packed(2) } == [[2, 700], [1, 300], [1, 400], [1, 50], [1, 10]])
        let innermost = try #require(locations[samples[0].packed(1)[0]])
        #expect(innermost.address == ExampleHeap.registry - 1 && innermost.mapping == 1)
        #expect(
            innermost.lines == [
                "generic specialization <Swift.String> of Swift._NativeDictionary.copyAndResize() -> ():7",
                "App.Registry.remember(Swift.String) -> ():41",
            ], "inlined functions come first")
        #expect(try samples[0].packed(1).count == 3 && samples[4].packed(1).isEmpty)
        let labels = try samples[0].messages(3).map { [text($0.number(1)), text($0.number(2))] }
        #expect(
            labels == [
                ["fingerprint", ExampleHeap.profile.sites[0].fingerprint.text], ["verdict", "not_enough_data"],
            ])
    }

    @Test func `equal profiles give equal bytes, and compression is the caller's`() {
        #expect(ExampleHeap.profile.pprof() == ExampleHeap.profile.pprof())
        #expect(ExampleHeap.profile.pprof(compress: { [UInt8($0.count & 0xFF)] }).count == 1)
    }
}
