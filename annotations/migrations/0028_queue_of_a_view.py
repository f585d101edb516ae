from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('annotations', '0027_gold'),
    ]

    operations = [
        migrations.AddField(
            model_name='project',
            name='queue_view',
            field=models.CharField(blank=True, help_text='The kept view of the list whose trajectories come first.', max_length=80),
        ),
        migrations.AlterField(
            model_name='project',
            name='queue_policy',
            field=models.CharField(choices=[('import', 'As imported'), ('wrong', 'Most likely wrong first'), ('disagreement', 'Where judges and the scorer differ'), ('critical', 'Largest fall from one step to the next'), ('uncertain', 'Where the scorer is least sure'), ('diverse', 'Different courses of action in turn'), ('random', 'By chance, from all tasks alike'), ('active', 'Active learning'), ('view', 'What a kept view shows')], default='import', max_length=12),
        ),
    ]
