import Foundation

/// Why a recorded file cannot be analysed: the file, what happened, and what to do next.
package struct RecordedFileProblem: Error, Hashable, Sendable, CustomStringConvertible {
    package var path: String
    package var problem: String

    package var description: String { "\(path): \(problem)" }
}

/// Recorded series on disk: CSV files, gzipped or not, and folders of them.
package enum RecordedFiles {
    /// More than this is not read into memory, packed or unpacked: the reader works on the whole file at once.
    static let mostBytes = 1 << 30

    /// The CSV files that the paths mean, folders taken as every CSV directly in them, in order of name.
    package static func list(_ paths: [String]) throws(RecordedFileProblem) -> [String] {
        var files: [String] = []
        for path in paths {
            var isFolder: ObjCBool = false
            guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
                throw RecordedFileProblem(path: path, problem: "there is no such file or folder")
            }
            guard isFolder.boolValue else {
                files.append(path)
                continue
            }
            let names: [String]
            do {
                names = try FileManager.default.contentsOfDirectory(atPath: path)
            } catch {
                throw RecordedFileProblem(
                    path: path, problem: "the folder cannot be read (\(error.localizedDescription)). Check its rights")
            }
            let found = names.filter { $0.hasSuffix(".csv") || $0.hasSuffix(".csv.gz") }.sorted()
            guard !found.isEmpty else {
                throw RecordedFileProblem(path: path, problem: "the folder holds no .csv or .csv.gz file")
            }
            files += found.map { path.hasSuffix("/") ? path + $0 : "\(path)/\($0)" }
        }
        return files
    }

    /// The content, unpacked if it is gzipped (told by its first bytes, not by its name).
    static func read(_ path: String) throws(RecordedFileProblem) -> [UInt8] {
        let data: Data
        do {
            let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int
            guard (size ?? 0) <= mostBytes else { throw RecordedFileProblem(path: path, problem: tooLarge) }
            data = try Data(contentsOf: URL(filePath: path))
        } catch let problem as RecordedFileProblem {
            throw problem
        } catch {
            throw RecordedFileProblem(
                path: path, problem: "it cannot be read (\(error.localizedDescription)). Check its rights")
        }
        let bytes = [UInt8](data)
        guard bytes.starts(with: [0x1F, 0x8B]) else { return bytes }
        do throws(GzipProblem) {
            return try Gzip.unpack(bytes, atMost: mostBytes)
        } catch {
            switch error {
            case .tooLarge: throw RecordedFileProblem(path: path, problem: tooLarge)
            case .damaged(let what):
                throw RecordedFileProblem(path: path, problem: "the gzip data is damaged (\(what)). Fetch it again")
            }
        }
    }

    private static let tooLarge = "it holds more than 1 GiB. Split it, or thin the readings out"

    /// "m_10" of "machines/m_10.csv.gz".
    static func seriesName(_ path: String) -> String {
        var name = path.split(separator: "/").last.map(String.init) ?? path
        for suffix in [".gz", ".csv"] where name.hasSuffix(suffix) && name.count > suffix.count {
            name.removeLast(suffix.count)
        }
        return name
    }
}
