import AlertRules
import Testing

@Suite struct SettingsTests {
    @Test func `defaults leave room between raising and clearing`() {
        let settings = AlertSettings()
        let host = HostAlertSettings()
        let levels = [
            settings.cpu, settings.memory, settings.fileDescriptors, host.memory, host.memoryPressure,
            host.cpuPressure, host.ioPressure, host.disk,
        ].compactMap { $0 }
        #expect(levels.count == 8)
        for level in levels {
            #expect(level.clear < level.raise)
            #expect(level.worse ?? .infinity > level.raise)
            #expect(level.clearSeconds >= level.raiseSeconds)
        }
    }

    @Test func `the slow pairs spend the parts of a month's budget that the workbook states`() throws {
        let burn = try #require(AlertSettings().errorRate)
        let spent = burn.pairs.map { $0.factor * $0.longSeconds / (burn.periodDays * 86_400) }
        #expect(abs(spent[1] - 0.02) < 1e-9)
        #expect(abs(spent[2] - 0.05) < 1e-9)
    }

    @Test func `everything can be switched off`() {
        let off = AlertSettings.off
        #expect(off.errorRate == nil && off.latency == nil && off.unresponsive == nil && off.cpu == nil)
        #expect(off.memory == nil && off.fileDescriptors == nil && off.restarts == nil)
        #expect(off.outOfMemoryKills == nil && off.business.isEmpty && off.noData == nil && off.leak == nil)
        #expect(off.reactionSeconds == 900)
    }
}
