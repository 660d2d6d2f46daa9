import CElf

/// Names of types out of mangled type names as they stand in reflection metadata, in which symbolic references stand for
/// descriptors (docs/ABI/Mangling.rst of the Swift project, "Symbolic references").
final class MangledTypes {
    static let bytesLimit = 256
    private let names: TypeNames
    private let memory: CheckedMemory

    init(_ names: TypeNames) {
        self.names = names
        memory = names.memory
    }

    /// The name as a programmer would write it; nil when it is none, or has parts that cannot be resolved.
    func name(at address: UInt64) -> String? {
        var text = "$s"
        var next = address
        var single: UInt64?
        var first: UInt64?
        while text.utf8.count < Self.bytesLimit {
            guard let byte = memory.integer(at: next, UInt8.self) else { return nil }
            if byte == 0 { break }
            if byte == 1 || byte == 2 {
                guard let target = memory.relative(at: next &+ 1),
                    let descriptor = byte == 1 ? target : memory.word(at: target),
                    let mangling = names.mangling(ofDescriptor: descriptor)
                else { return nil }
                if next == address, memory.integer(at: next &+ 5, UInt8.self) == 0 { single = descriptor }
                first = first ?? descriptor
                text += mangling
                next &+= 5
                continue
            }
            guard byte == UInt8(ascii: "_") || byte == UInt8(ascii: "$") || byte.isLetterOrDigit else { return nil }
            text.unicodeScalars.append(UnicodeScalar(byte))
            next &+= 1
        }
        if let single { return names.name(ofDescriptor: single) }
        // Substitutions count differently where a symbolic reference stood: then the outer type alone has a name.
        return Self.demangled(text + "D").map(PlainNames.withoutModules) ?? first.flatMap(names.name(ofDescriptor:))
    }

    private static func demangled(_ mangled: String) -> String? {
        var mangled = mangled
        return mangled.withUTF8 { bytes in
            var buffer = [CChar](repeating: 0, count: 1_024)
            let count = bytes.withMemoryRebound(to: CChar.self) {
                celf_demangle($0.baseAddress, $0.count, &buffer, buffer.count)
            }
            guard count > 0, count < buffer.count - 1 else { return nil }
            return String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
    }
}

extension UInt8 {
    fileprivate var isLetterOrDigit: Bool {
        (0x30...0x39).contains(self) || (0x41...0x5A).contains(self) || (0x61...0x7A).contains(self)
    }
}

/// Type names without the modules in front.
enum PlainNames {
    /// "Swift.Optional<leaks.Screen>" → "Optional<Screen>".
    static func withoutModules(_ text: String) -> String {
        var result = ""
        var path: [Substring] = []
        var rest = text[...]
        while let first = rest.first {
            let word = rest.prefix { $0.isLetter || $0.isNumber || $0 == "_" }
            if word.isEmpty {
                result.append(first)
                rest = rest.dropFirst()
                continue
            }
            path = [word]
            rest = rest[word.endIndex...]
            while rest.first == "." {
                let next = rest.dropFirst().prefix { $0.isLetter || $0.isNumber || $0 == "_" }
                guard !next.isEmpty else { break }
                path.append(next)
                rest = rest[next.endIndex...]
            }
            result += (path.count > 1 ? path.dropFirst() : path[...]).joined(separator: ".")
        }
        return result
    }
}
