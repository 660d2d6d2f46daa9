// Foundation: reads the file of vectors, decodes Base64.
import Foundation
import Paging
import Testing

/// A zone file with what an independent reader says about it; `generate.py` writes them.
struct ZoneVectors {
    var name: String
    var file: [UInt8]
    var shown: [(at: Int64, offset: Int32, abbreviation: String)] = []
    var instants: [(civil: CivilTime, instant: Int64)] = []

    static func all() throws -> [ZoneVectors] {
        let path = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "vectors.txt")
        var result: [ZoneVectors] = []
        for line in try String(contentsOf: path, encoding: .utf8).split(separator: "\n") {
            let words = line.split(separator: " ").map(String.init)
            if words[0] == "zone" {
                result.append(ZoneVectors(name: words[1], file: []))
                continue
            }
            let last = try #require(result.indices.last)
            switch words[0] {
            case "file": result[last].file = [UInt8](try #require(Data(base64Encoded: words[1])))
            case "at":
                result[last].shown.append((try #require(Int64(words[1])), try #require(Int32(words[2])), words[3]))
            case "civil":
                result[last].instants.append((try #require(CivilTime(words[1])), try #require(Int64(words[2]))))
            default: Issue.record("unknown line \(line)")
            }
        }
        return result
    }

    /// A zone by its name.
    static func zone(_ name: String) throws -> ZoneRules {
        let vectors = try #require(try all().first { $0.name == name })
        return try ZoneRules(name: name, file: vectors.file)
    }
}
