"""The reference board, revision 1: an RP2040 module with the pins of the Raspberry Pi Pico."""

REVISION = 1

# Stepper driver, TMC2209. Its datasheet (rev 1.03, STEP/DIR timing) asks for STEP high and low of
# 100 ns each and for DIR 20 ns ahead of STEP; a tick of the pulse program is 200 ns.
STEP_PIN = 2
DIR_PIN = 3
DIR_FORWARD = 1
STEP_HIGH_MIN_NS = 100
STEP_LOW_MIN_NS = 100
DIR_SETUP_MIN_NS = 20

# Low switches the driver on. A pull-up of 10 kOhm on the board keeps it off while the processor is
# in reset, in its boot loader, or blank.
ENABLE_PIN = 4
# High while StallGuard finds the motor stalled, or the driver has shut itself down.
DIAG_PIN = 5

# One wire for both directions (PDN_UART), so each byte that is sent is also received.
DRIVER_UART = 0
DRIVER_TX_PIN = 0
DRIVER_RX_PIN = 1
DRIVER_BAUD = 115200  # the driver finds 9600 to 500000 by itself (datasheet, UART)
DRIVER_ADDRESS = 0
DRIVER_MICROSTEPS = 16
# Shares of full scale in 1/32. Sense resistors of 0.11 Ohm: 31 is 1.77 A rms (datasheet, motor
# current). The motor turns a fraction of the time; a third holds the plunger.
DRIVER_RUN_CURRENT = 18
DRIVER_HOLD_CURRENT = 6
# StallGuard: DIAG rises when SG_RESULT falls to twice the threshold, above 10 rpm only. The period
# of a microstep in 1/256 at 10 rpm is 1400 cycles of the driver's 12 MHz clock.
DRIVER_STALL_THRESHOLD = 40
DRIVER_STALL_TSTEP_MAX = 1400

# Switches to ground with pull-ups: a broken wire reads as open, removed, or released.
INTERLOCK_PIN = 6  # low = closed; the pulse program tests it before each step
TRIGGER_PIN = 7  # low = pressed
SEATED_PIN = 8  # low = syringe in its seat

# Light: one colour LED with a pin a colour, high = on. Buzzer: a tone while its PWM runs.
LIGHT_RED_PIN = 10
LIGHT_GREEN_PIN = 11
LIGHT_BLUE_PIN = 12
BUZZER_PIN = 13
BUZZER_HZ = 2700

# Force behind the plunger: 0 to 120 N on 0 to 3.3 V. Motor supply through a divider of 10:1.
FORCE_ADC_PIN = 26
SUPPLY_ADC_PIN = 27
SUPPLY_FULL_SCALE_MV = 33000  # at the largest reading
SUPPLY_MIN_MV = 9000
SUPPLY_MAX_MV = 26000  # the driver takes 29 V (datasheet, operational range)
