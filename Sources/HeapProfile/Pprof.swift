package import OakumModel

extension HeapProfile {
    /// The profile as pprof reads it (`go tool pprof`, speedscope, Pyroscope): profile.proto of github.com/google/pprof,
    /// uncompressed, with the sample types of Go's heap profiles, `inuse_objects` and `inuse_space`.
    ///
    /// Samples carry the site's fingerprint and verdict as labels, so `pprof -tagfocus leaks` shows what leaks alone.
    /// - Parameters:
    ///   - takenAt: written into the profile; ring 0 has no clock.
    ///   - compress: gzip, if the file shall be compressed; pprof reads both.
    package func pprof(takenAt: WallTime? = nil, compress: ([UInt8]) -> [UInt8] = { $0 }) -> [UInt8] {
        var encoding = PprofEncoding(image: image)
        for site in sites {
            for stack in site.stacks where stack.samples > 0 { encoding.add(stack, of: site) }
        }
        return compress(encoding.finished(takenAt: takenAt, meanBytes: image.meanBytes, mode: image.mode))
    }
}

/// Numbers strings, functions and locations by first use, so that equal profiles give equal bytes.
private struct PprofEncoding {
    private let modules: [LoadedModule]
    private let naming: StackNaming
    private var strings = [""]
    private var stringIndex: [String: UInt64] = ["": 0]
    private var functions: [FunctionKey: UInt64] = [:]
    private var locations: [LocationKey: UInt64] = [:]
    private var written = (samples: ProtobufWriter(), locations: ProtobufWriter(), functions: ProtobufWriter())
    /// Modules that symbols, and lines, were found for: pprof need not look for them.
    private var named: Set<Int> = []
    private var lined: Set<Int> = []

    private struct FunctionKey: Hashable {
        var name: String
        var file: String
    }

    private struct LocationKey: Hashable {
        var address: UInt64
        var lines: [Frame]
    }

    init(image: HeapImage) {
        modules = image.modules
        naming = StackNaming(image: image, frames: [:], rules: FrameRules())
    }

    mutating func add(_ stack: SiteStack, of site: Site) {
        // Frames follow each other as their addresses do; inlined ones stand before the function that they are in.
        var ids: [UInt64] = []
        var lines: [Frame] = []
        var addresses = stack.addresses[...]
        for (position, frame) in stack.frames.enumerated() {
            lines.append(frame)
            let next = position + 1
            guard !frame.isInlined || next == stack.frames.count else { continue }
            let address = addresses.popFirst() ?? 0
            // Location 0 means none; what was trimmed for displays is left out here too.
            if position >= stack.allocatorFrames || stack.allocatorFrames == stack.frames.count {
                ids.append(location(address, lines))
            }
            lines = []
        }
        let labels = [("fingerprint", site.fingerprint.text), ("verdict", site.verdict.code.rawValue)]
            .map { (string($0.0), string($0.1)) }
        written.samples.message(2) { sample in
            sample.packed(1, ids)
            sample.packed(
                2, [stack.blocks, stack.bytes].map { UInt64(bitPattern: Wording.integer($0)) })
            for (key, value) in labels {
                sample.message(3) { label in
                    label.number(1, key)
                    label.number(2, value)
                }
            }
        }
    }

    private mutating func string(_ text: String) -> UInt64 {
        if let known = stringIndex[text] { return known }
        let index = UInt64(strings.count)
        strings.append(text)
        stringIndex[text] = index
        return index
    }

    private mutating func location(_ address: UInt64, _ lines: [Frame]) -> UInt64 {
        let key = LocationKey(address: address, lines: lines)
        if let known = locations[key] { return known }
        let id = UInt64(locations.count + 1)
        locations[key] = id
        let module = naming.module(at: address &- 1, seen: .max).flatMap { modules.firstIndex(of: $0) }
        if let module {
            if lines.contains(where: { !$0.function.contains("+0x") }) { named.insert(module) }
            if lines.contains(where: { $0.file != nil }) { lined.insert(module) }
        }
        let entries = lines.map { (function($0), $0.line ?? 0) }
        written.locations.message(4) { location in
            location.number(1, id)
            if let module { location.number(2, UInt64(module + 1)) }
            location.number(3, address == 0 ? 0 : address - 1)
            for (function, line) in entries {
                location.message(4) { entry in
                    entry.number(1, function)
                    entry.number(2, Int64(line))
                }
            }
        }
        return id
    }

    private mutating func function(_ frame: Frame) -> UInt64 {
        let key = FunctionKey(name: frame.function, file: frame.file ?? "")
        if let known = functions[key] { return known }
        let id = UInt64(functions.count + 1)
        functions[key] = id
        let (name, file) = (string(key.name), string(key.file))
        written.functions.message(5) { function in
            function.number(1, id)
            // No system name (field 3): equal to the name, it would make pprof cut the name up as a C++ one.
            function.number(2, name)
            function.number(4, file)
        }
        return id
    }

    mutating func finished(takenAt: WallTime?, meanBytes: UInt64, mode: SamplingMode) -> [UInt8] {
        var profile = ProtobufWriter()
        for (type, unit) in [("inuse_objects", "count"), ("inuse_space", "bytes")] {
            let value = (string(type), string(unit))
            profile.message(1) { $0.valueType(value.0, value.1) }
        }
        var mappings = ProtobufWriter()
        for (index, module) in modules.enumerated() {
            let path = string(module.path)
            let buildID = string(Self.hexadecimal(module.buildID))
            mappings.message(3) { mapping in
                mapping.number(1, UInt64(index + 1))
                mapping.number(2, module.addresses.lowerBound)
                mapping.number(3, module.addresses.upperBound)
                // The whole file from its beginning: the offset (field 4) is 0.
                mapping.number(5, path)
                mapping.number(6, buildID)
                mapping.flag(7, named.contains(index))
                mapping.flag(8, lined.contains(index))
                mapping.flag(9, lined.contains(index))
                mapping.flag(10, lined.contains(index))
            }
        }
        let period = (string("space"), string("bytes"), string("inuse_space"))
        profile = profile.appending(written.samples).appending(mappings).appending(written.locations)
            .appending(written.functions)
        for text in strings { profile.text(6, text) }
        profile.number(9, (takenAt?.milliseconds ?? 0) &* 1_000_000)
        profile.message(11) { $0.valueType(period.0, period.1) }
        profile.number(12, mode == .exact ? 1 : meanBytes)
        profile.number(14, period.2)
        return profile.bytes
    }

    private static func hexadecimal(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}

extension ProtobufWriter {
    fileprivate mutating func valueType(_ type: UInt64, _ unit: UInt64) {
        number(1, type)
        number(2, unit)
    }

    fileprivate func appending(_ other: ProtobufWriter) -> ProtobufWriter {
        var result = self
        result.append(other)
        return result
    }
}
