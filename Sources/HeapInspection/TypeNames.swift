/// Names of Swift types out of a process's metadata: docs/ABI/TypeMetadata.rst of the Swift project, in which the
/// layouts used here are fixed for Linux too, although no stability is promised there.
///
/// Nothing is trusted: every pointer must lie in a readable mapping, every kind be known, every name be printable and
/// short; nesting is bounded. Wrong or hostile memory gives nil.
final class TypeNames {
    static let nameBytesLimit = 512
    static let depthLimit = 8
    static let fullNameLimit = 1_024
    let memory: CheckedMemory
    private var cache: [UInt64: String?] = [:]
    private static let cacheLimit = 65_536

    init(_ memory: CheckedMemory) {
        self.memory = memory
    }

    func forget() {
        cache.removeAll(keepingCapacity: true)
    }

    /// The name of the type some metadata describes, as a programmer would write it, without module names.
    func name(ofMetadata address: UInt64, depth: Int = 0) -> String? {
        if let known = cache[address] { return known }
        guard depth < Self.depthLimit, address % 8 == 0, address > 4_096 else { return nil }
        let name = unchecked(address, depth).flatMap { $0.utf8.count <= Self.fullNameLimit ? $0 : nil }
        if cache.count >= Self.cacheLimit { cache.removeAll(keepingCapacity: true) }
        cache[address] = .some(name)
        return name
    }

    private func unchecked(_ address: UInt64, _ depth: Int) -> String? {
        guard let kind = memory.word(at: address) else { return nil }
        switch MetadataKind(kind) {
        case .classType:
            guard let descriptor = memory.word(at: address &+ 40), descriptor > 4_096 else { return nil }
            return nominal(descriptor, arguments: ClassLayout.argumentsOffset(descriptor, memory), of: address, depth)
        case .structType, .enumType, .optional:
            guard let descriptor = memory.word(at: address &+ 8), descriptor > 4_096 else { return nil }
            return nominal(descriptor, arguments: 16, of: address, depth)
        case .tuple: return tuple(address, depth)
        case .function: return function(address, depth)
        case .existential: return existential(address)
        case .metatype, .existentialMetatype:
            return memory.word(at: address &+ 8).flatMap { name(ofMetadata: $0, depth: depth + 1) }.map { "\($0).Type" }
        case .extendedExistential: return "any protocol"
        case .opaque: return "opaque value"
        default: return nil
        }
    }

    // MARK: - Nominal types

    /// One level of a nested type: `Outer<Int>.Inner`.
    struct Level {
        var name: String
        /// The letter of its kind in mangled names: class C, struct V, enum O, protocol P.
        var letter: Character
        /// Generic parameters down to and including this level.
        var parameters: Int
    }

    private func nominal(_ descriptor: UInt64, arguments: Int64?, of metadata: UInt64, _ depth: Int) -> String? {
        guard let levels = levels(descriptor) else { return nil }
        var given: [String] = []
        if let total = levels.last?.parameters, total > 0, let arguments {
            for index in 0..<total {
                let place = metadata &+ UInt64(bitPattern: arguments) &+ UInt64(index * 8)
                given.append(argument(at: place, depth))
            }
        }
        var used = 0
        var parts: [String] = []
        for level in levels {
            let upTo = min(level.parameters, given.count)
            let own = upTo > used ? Array(given[used..<upTo]) : []
            used = max(used, upTo)
            parts.append(Self.applied(level.name, own))
        }
        return parts.joined(separator: ".")
    }

    /// The type that the pointer at a place leads to; "_" when it cannot be told.
    private func argument(at place: UInt64, _ depth: Int) -> String {
        memory.word(at: place).flatMap { name(ofMetadata: $0, depth: depth + 1) } ?? "_"
    }

    /// Plain spelling: `[Int]` rather than `Array<Int>`, and storage of a collection as the collection.
    static func applied(_ name: String, _ arguments: [String]) -> String {
        switch (name, arguments.count) {
        case ("_ContiguousArrayStorage", 1), ("Array", 1), ("ContiguousArray", 1), ("ArraySlice", 1):
            return "[\(arguments[0])]"
        case ("_DictionaryStorage", 2), ("Dictionary", 2): return "[\(arguments[0]): \(arguments[1])]"
        case ("_SetStorage", 1): return "Set<\(arguments[0])>"
        case ("Optional", 1):
            let isPlain = arguments[0].utf8.allSatisfy { $0 != UInt8(ascii: " ") } || arguments[0].hasPrefix("[")
            return isPlain ? "\(arguments[0])?" : "(\(arguments[0]))?"
        case ("__StringStorage", 0), ("__SharedStringStorage", 0): return "String"
        case (_, 0): return name
        default: return "\(name)<\(arguments.joined(separator: ", "))>"
        }
    }

    /// The name of a type's descriptor alone, with the types it is nested in: "Outer.Inner".
    func name(ofDescriptor address: UInt64) -> String? {
        levels(address).map { $0.map(\.name).joined(separator: ".") }
    }

    /// The module's name, and the types a descriptor is nested in, outermost first.
    func mangling(ofDescriptor address: UInt64) -> String? {
        guard let levels = levels(address), levels.count < Self.depthLimit else { return nil }
        return levels.reduce("5oakum") { $0 + "\($1.name.utf8.count)\($1.name)\($1.letter)" }
    }

    private func levels(_ descriptor: UInt64) -> [Level]? {
        var levels: [Level] = []
        var next = descriptor
        for _ in 0..<Self.depthLimit {
            guard next % 4 == 0, let flags = memory.word32(at: next) else { return nil }
            switch flags & 0x1F {
            case 0:  // module
                return levels.isEmpty ? nil : levels.reversed()
            case 1, 2: break  // extension, anonymous: no name of their own
            case 3, 16, 17, 18:  // protocol, class, struct, enum
                guard let name = text(relativeAt: next &+ 8) else { return nil }
                let letter: Character = [16: "C", 17: "V", 18: "O"][flags & 0x1F] ?? "P"
                levels.append(Level(name: name, letter: letter, parameters: parameters(next, flags)))
            default: return nil
            }
            guard let parent = memory.relativeIndirectable(at: next &+ 4) else {
                return levels.isEmpty ? nil : levels.reversed()
            }
            next = parent
        }
        return nil
    }

    /// Generic parameters that have an argument in the metadata, outer types' included.
    private func parameters(_ descriptor: UInt64, _ flags: UInt32) -> Int {
        guard flags & 0x80 != 0 else { return 0 }
        // The generic header stands behind the fixed part; for a type two relative pointers precede its counts.
        let header: UInt64
        switch flags & 0x1F {
        case 16: header = 44
        case 17, 18: header = 28
        default: return 0
        }
        guard let count = memory.integer(at: descriptor &+ header &+ 8, UInt16.self), count <= 16,
            let kinds = memory.bytes(at: descriptor &+ header &+ 16, count: Int(count))
        else { return 0 }
        return kinds.prefix { $0 == 0x80 }.count
    }

    func text(relativeAt address: UInt64) -> String? {
        memory.relative(at: address).flatMap { text(at: $0) }
    }

    /// A printable name; nil for anything else.
    func text(at address: UInt64) -> String? {
        guard let bytes = memory.text(at: address, limit: Self.nameBytesLimit), !bytes.isEmpty,
            bytes.allSatisfy({ $0 >= 0x20 && $0 != 0x7F })
        else { return nil }
        return String(validating: bytes, as: UTF8.self)
    }

    // MARK: - Structural types

    private func tuple(_ address: UInt64, _ depth: Int) -> String? {
        guard let count = memory.word(at: address &+ 8), count <= 32 else { return nil }
        let parts = (0..<count).map { index in
            argument(at: address &+ 24 &+ index * 16, depth)
        }
        return "(\(parts.joined(separator: ", ")))"
    }

    private func function(_ address: UInt64, _ depth: Int) -> String? {
        guard let flags = memory.word(at: address &+ 8), flags & 0xFFFF <= 32 else { return nil }
        let isAsync = flags & 0x2000_0000 != 0
        let isThrowing = flags & 0x0100_0000 != 0
        let types = (0...(flags & 0xFFFF)).map { index in
            argument(at: address &+ 16 &+ index * 8, depth)
        }
        return "(\(types.dropFirst().joined(separator: ", "))) \(isAsync ? "async " : "")"
            + "\(isThrowing ? "throws " : "")-> \(types[0])"
    }

    private func existential(_ address: UInt64) -> String? {
        guard let flags = memory.word32(at: address &+ 8), let count = memory.word32(at: address &+ 12), count <= 16
        else { return nil }
        let hasSuperclass = flags & 0x4000_0000 != 0
        let isClassOnly = flags & 0x8000_0000 == 0
        guard count > 0 else { return isClassOnly ? "AnyObject" : "Any" }
        let first = address &+ (hasSuperclass ? 24 : 16)
        let names = (0..<UInt64(count)).map { index in
            // The lowest bit would mean an Objective-C protocol, which Linux has not.
            memory.word(at: first &+ index * 8).flatMap { name(ofDescriptor: $0 & ~1) } ?? "_"
        }
        return "any \(names.joined(separator: " & "))"
    }
}

/// Kinds of metadata (MetadataKind.def of the Swift runtime).
enum MetadataKind: Equatable {
    case classType, structType, enumType, optional, foreignClass, opaque, tuple, function, existential, metatype
    case existentialMetatype, extendedExistential, fixedArray, localBox, genericBox, errorBox, task, job, unknown

    init(_ word: UInt64) {
        switch word {
        case 0: self = .classType
        case 0x200: self = .structType
        case 0x201: self = .enumType
        case 0x202: self = .optional
        case 0x203: self = .foreignClass
        case 0x300: self = .opaque
        case 0x301: self = .tuple
        case 0x302: self = .function
        case 0x303: self = .existential
        case 0x304: self = .metatype
        case 0x306: self = .existentialMetatype
        case 0x307: self = .extendedExistential
        case 0x308: self = .fixedArray
        case 0x400: self = .localBox
        case 0x500: self = .genericBox
        case 0x501: self = .errorBox
        case 0x502: self = .task
        case 0x503: self = .job
        default: self = .unknown
        }
    }
}

/// Where a class's own members stand in its metadata.
enum ClassLayout {
    /// Byte offset of the members a class adds to its metadata, generic arguments first; nil when it cannot be.
    static func argumentsOffset(_ descriptor: UInt64, _ memory: CheckedMemory) -> Int64? {
        guard let flags = memory.word32(at: descriptor) else { return nil }
        let hasResilientSuperclass = flags & (1 << 29) != 0
        if hasResilientSuperclass {
            guard let bounds = memory.relative(at: descriptor &+ 24),
                let offset = memory.integer(at: bounds, Int64.self), offset > 0, offset < 1 << 20
            else { return nil }
            return offset
        }
        guard let positive = memory.word32(at: descriptor &+ 28), let own = memory.word32(at: descriptor &+ 32),
            positive < 1 << 16, own <= positive
        else { return nil }
        // Bit 28: members lie in front of the address point.
        if flags & (1 << 28) != 0 {
            guard let negative = memory.word32(at: descriptor &+ 24), negative < 1 << 16 else { return nil }
            return -8 * Int64(negative)
        }
        return 8 * Int64(positive - own)
    }
}
