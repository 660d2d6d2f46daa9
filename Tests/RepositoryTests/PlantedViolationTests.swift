import Testing

/// Each check is shown to fail on a violation, and to leave alone what only looks like one.
struct PlantedViolationTests {
    private let table = ImportTable(
        markdown: """
            # Not this one
            | 0 | `Decoy` | – | `Engine` |
            ## Allowed imports
            | Ring | Target | One line | May import (ours) |
            |---|---|---|---|
            | 0 | `Model`, `Detection` | pure | – |
            | shared | `Blocks` | – | – |
            | 1 | `Engine` | – | `Model`, `Detection` |
            | 2 | `Store` | – | `Engine` |
            ## Not built yet
            | 0 | `Later` | – | – |
            """)

    private func found(_ text: String, in path: String = "Sources/Engine/File.swift") -> [String] {
        let targets: Set<String> = ["Model", "Detection", "Blocks", "Engine", "Store"]
        return SwiftChecks(table: table, targets: targets).violations(in: ProjectFile(path: path, text: text))
            .map { "\($0.check) \($0.line)" }
    }

    @Test func `only the table under its heading counts`() {
        #expect(Set(table.rows.keys) == ["Model", "Detection", "Blocks", "Engine", "Store"])
        #expect(table.rows["Engine"]?.mayImport == ["Model", "Detection"])
        #expect(table.rows["Blocks"]?.ring == "shared")
    }

    @Test(arguments: [
        "import Store", "package import Store", "public import Store", "@testable import Store",
        "@preconcurrency import struct Store.Thing", "import Store // because",
    ])
    func `an import outside the table is found`(line: String) {
        #expect(found("import Model\n\(line)\n") == ["imports 2"])
    }

    @Test func `allowed, outside and commented imports pass, and tests may import anything`() {
        #expect(
            found("import Model\nimport NIOCore\nimport Foundation\n// import Store\nlet a = \"import Store\"\n") == [])
        #expect(found("import Store\n", in: "Tests/EngineTests/File.swift") == [])
    }

    @Test func `Foundation in a pure ring needs its reason`() {
        for folder in ["Model", "Blocks"] {
            #expect(found("package import Foundation\n", in: "Sources/\(folder)/A.swift") == ["foundation 1"])
            #expect(found("import FoundationEssentials\n", in: "Sources/\(folder)/A.swift") == ["foundation 1"])
            #expect(found("// JSON.\nimport Foundation\n", in: "Sources/\(folder)/A.swift") == [])
        }
    }

    @Test func `long files are found`() {
        let line = "let a = 1\n"
        #expect(found(String(repeating: line, count: 400)) == [])
        #expect(found(String(repeating: line, count: 401)) == ["file length 401"])
        #expect(found(String(repeating: line, count: 600), in: "Tests/EngineTests/A.swift") == [])
        #expect(found(String(repeating: line, count: 601), in: "Tests/EngineTests/A.swift") == ["file length 601"])
    }

    @Test(arguments: [
        "func long(_ f: () -> Void = {}) async throws -> [Int: Int] {",
        "init<T>(_ a: T) where T: Equatable {",
        "@Test func `with a { in its name`() {",
    ])
    func `long functions are found`(declaration: String) {
        let line = "    a += \"{\\(b.map { $0 })\".count // }\n"
        #expect(found("struct A {\n\(declaration)\n" + String(repeating: line, count: 70) + "}\n}\n") == [])
        let long = "struct A {\n\(declaration)\n" + String(repeating: line, count: 71) + "}\n}\n"
        #expect(found(long) == ["function length 2"])
    }

    @Test func `a function that a protocol asks for has no length`() {
        let lines = String(repeating: "let a = { 1 }()\n", count: 100)
        #expect(found("protocol P { func f() async throws -> Int }\n\(lines)") == [])
        #expect(found("protocol P {\nfunc f()\nfunc g() }\nstruct S {\n\(lines)}\n") == [])
    }

    @Test(arguments: ["let a = try? f()", "do { try f() } catch {}", "do { try f() } catch let e as Odd {\n}"])
    func `a swallowed error is found unless it is explained`(code: String) {
        #expect(found(code + "\n") == ["swallowed error 1"])
        #expect(found("// Gone is as good as closed.\n" + code + "\n") == [])
    }

    @Test(arguments: ["Task { await f() }", "Task(priority: .low) { }", "_ = Task.detached { }", "Task.immediate { }"])
    func `an unstructured task is found outside the composition root`(code: String) {
        #expect(found(code + "\n") == ["unstructured task 1"])
        #expect(found(code + "\n", in: "Sources/OakumApp/A.swift") == [])
        #expect(found(code + "\n", in: "Sources/registrar-drill/A.swift") == [])
        #expect(found("group.addTask { }\nlet t: Task<Void, Never>\ntry Task.checkCancellation()\n") == [])
    }

    @Test(arguments: [
        "let now = Date()", "let now = Date.now", "try await Task.sleep(for: .seconds(1))",
        "let c = ContinuousClock()", "clock_gettime(CLOCK_BOOTTIME, &t)",
    ])
    func `a clock in a pure ring is found`(code: String) {
        #expect(found(code + "\n") == ["clock 1"])
        #expect(found(code + "\n", in: "Sources/Detection/A.swift") == ["clock 1"])
        #expect(found(code + "\n", in: "Sources/Store/A.swift") == [])
    }

    @Test(arguments: [
        "try await Task.sleep(for: .seconds(1))", "usleep(5)", "_ = sleep(1)", "Thread.sleep(forTimeInterval: 1)",
    ])
    func `a sleep in a test is found`(code: String) {
        #expect(found(code + "\n", in: "Tests/EngineTests/A.swift") == ["sleep 1"])
        #expect(found("try await clock.sleep(for: .seconds(1))\n", in: "Tests/EngineTests/A.swift") == [])
    }

    @Test(arguments: ["final class A: @unchecked Sendable {}", "nonisolated(unsafe) var a = 1"])
    func `an unsafe hatch needs its reason`(code: String) {
        #expect(found(code + "\n") == ["unsafe 1"])
        #expect(found("// Guarded by `lock`.\n" + code + "\n") == [])
    }

    @Test func `text and comments are no code`() {
        let harmless = ##"""
            /* Task { } /* nested try? */ Date() */
            let a = "Task { \(b ?? "try?") }"
            let c = #"try? \("Date()" "#
            let d = """
                Task { "try?" }
                """
            """##
        #expect(found(harmless + "\n") == [])
        #expect(found("let a = \"\\(try? f())\"\n") == ["swallowed error 1"])
    }

    @Test func `a target without a row, and a row without a target, are found`() {
        let messages = ProjectChecks.rows(of: table, targets: ["Model", "Detection", "Engine", "Store", "New"]).map(
            \.message)
        #expect(messages == ["Blocks has a row, but is not in Sources", "New has no row"])
    }

    @Test func `a long README is found`() {
        let line = "text\n"
        #expect(
            ProjectChecks.readmeLength(ProjectFile(path: "README.md", text: String(repeating: line, count: 120))) == [])
        #expect(
            ProjectChecks.readmeLength(ProjectFile(path: "README.md", text: String(repeating: line, count: 121))) != [])
    }

    @Test func `paths outside the project are found`() {
        let shared = [".", ".", "/sha", "red/x"].joined()
        let machine = ["/wo", "rk/x"].joined()
        let file = ProjectFile(path: "docs/a.md", text: "see \(shared)\nand docs\(machine)\nand `\(machine)`\n")
        #expect(ProjectChecks.foreignPaths(file).map(\.line) == [1, 3])
    }
}
